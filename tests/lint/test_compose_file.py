"""What deploy/.env.example says of deploy/compose.yaml."""

import re

from servers import ROOT


def test_every_value_of_the_compose_file_is_named_with_its_default():
    used = set(re.findall(r"\$\{(\w+):-([^}]*)\}", (ROOT / "deploy/compose.yaml").read_text()))
    example = (ROOT / "deploy/.env.example").read_text()
    assert used == set(re.findall(r"^(\w+)=(.*)$", example, re.MULTILINE))
