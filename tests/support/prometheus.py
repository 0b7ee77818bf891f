"""Debian's Prometheus with the rules of deploy/prometheus, for a stack of a test.

Only what costs time is changed: it asks and judges twice a second, and rules wait for nothing. The
expressions are those that users have.
"""

import shutil
import urllib.parse
import urllib.request

import yaml
from servers import ROOT, free_port, json, spawn, wait_until

SETTINGS = ROOT / "deploy/prometheus/prometheus.yml"
ALERTS = ROOT / "deploy/prometheus/alerts.yml"


class Prometheus:
    def __init__(self, stack, folder):
        self.stack, self.folder, self.port = stack, folder, free_port()
        self.process = None

    def __enter__(self):
        (self.folder / "alerts.yml").write_text(yaml.safe_dump(self._rules()))
        settings = self.folder / "prometheus.yml"
        settings.write_text(yaml.safe_dump(self._settings()))
        self.process = spawn(
            ["prometheus", f"--config.file={settings}", f"--storage.tsdb.path={self.folder / 'data'}",
             f"--web.listen-address=127.0.0.1:{self.port}"], self.folder / "prometheus.log")
        wait_until(lambda: self.query("up"), 30, "Prometheus has asked")
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder / "data", ignore_errors=True)

    def query(self, expression):
        """The series that the expression gives now."""
        return self._get("query", query=expression)["result"]

    def names(self):
        """Of all metrics that there are."""
        return set(self._get("label/__name__/values"))

    def alerts(self):
        """(name, labels) of those that fire."""
        return [(a["labels"]["alertname"], a["labels"]) for a in self._get("alerts")["alerts"]
                if a["state"] == "firing"]

    def _get(self, path, **parameters):
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return json.loads(answer.read())["data"]

    def _settings(self):
        settings = yaml.safe_load(SETTINGS.read_text())
        settings["global"] = {"scrape_interval": "500ms", "scrape_timeout": "500ms",
                              "evaluation_interval": "500ms"}
        for job in settings["scrape_configs"]:
            job.pop("dns_sd_configs", None)
            job["static_configs"] = [{"targets": self._targets(job["job_name"])}]
        return settings

    def _targets(self, job):
        ports = [p.status_port for p in self.stack.processes if p.kind == job]
        return [f"127.0.0.1:{port}" for port in ports or [self.stack.servers.rabbitmq.metrics_port]]

    @staticmethod
    def _rules():
        rules = yaml.safe_load(ALERTS.read_text())
        for group in rules["groups"]:
            for rule in group["rules"]:
                rule["for"] = "0s"
        return rules
