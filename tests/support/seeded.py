"""The seed of a test that makes its choices at random: in what is told of a failure, wherever it ran.

    @seeded(TEST_RANDOM_SEED=SEED)
    def test_whatever_happens(): ...
"""

import contextlib


@contextlib.contextmanager
def seeded(**variables):
    """`variables` of the environment make the same choices again."""
    try:
        yield
    except Exception as e:
        told = " ".join(f"{name}={value}" for name, value in variables.items())
        raise AssertionError(f"{told}: {type(e).__name__}: {e}") from e
