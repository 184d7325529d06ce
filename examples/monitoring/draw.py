"""Draws the dashboard's panels from a Prometheus: draw.py URL PICTURE [JOB [SECONDS]]. Needs matplotlib."""

from __future__ import annotations

import json
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path
from typing import Any

import matplotlib as mpl

mpl.use("Agg")
import matplotlib.dates as mdates
import matplotlib.pyplot as plt

BACK, FRONT, GRID = "#181b1f", "#ccccdc", "#2c3235"
COLORS = {"green": "#56a64b", "orange": "#ff9830", "red": "#e02f44"}


def query_prometheus(url: str, path: str, **parameters: str | float) -> list[dict[str, Any]]:
    """Returns the result of a query to Prometheus."""
    query = urllib.parse.urlencode(parameters)
    with urllib.request.urlopen(f"{url}/api/v1/{path}?{query}", timeout=10) as response:  # noqa: S310 - the URL is an argument
        return json.load(response)["data"]["result"]


def formatted(value: float, unit: str, mappings: list[dict[str, Any]]) -> str:
    """Formats a value as Grafana does."""
    for mapping in mappings:
        if f"{value:.0f}" in mapping["options"]:
            return mapping["options"][f"{value:.0f}"]["text"]
    if unit == "percentunit":
        return f"{value:.1%}"
    if unit == "s":
        steps = [(86400, "days"), (3600, "hours"), (60, "minutes")]
        size, name = next((step for step in steps if value >= step[0]), (1, "s"))
        return f"{value / size:.1f} {name}"
    return f"{value:g}"


def color(value: float, defaults: dict[str, Any]) -> str:
    """Returns the color of the highest threshold that the value reaches."""
    steps = defaults.get("thresholds", {}).get("steps", [])
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return COLORS[reached[-1]] if reached else FRONT


def main(url: str, picture: str, job: str = ".+", seconds: str = "3600") -> int:
    """Draws the last `seconds` of a Prometheus."""
    dashboard = json.loads(Path(__file__).with_name("dashboard.json").read_text())
    end = time.time()
    start = end - float(seconds)
    step = max(1.0, float(seconds) / 300)
    interval = f"{max(8, int(step * 4))}s"
    figure = plt.figure(figsize=(16, 13), facecolor=BACK)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"])
    for panel in dashboard["panels"]:
        at, defaults = panel["gridPos"], panel["fieldConfig"]["defaults"]
        axes = figure.add_axes(
            (
                at["x"] / 24 + 0.03,
                0.95 * (1 - (at["y"] + at["h"]) / rows) + 0.03,
                at["w"] / 24 - 0.045,
                0.95 * at["h"] / rows - 0.05,
            ),
            facecolor=BACK,
        )
        axes.set_title(panel["title"], color=FRONT, loc="left", fontsize=11)
        for target in panel["targets"]:
            query = target["expr"].replace("$job", job).replace("$__rate_interval", interval)
            if panel["type"] == "stat":
                value = float(query_prometheus(url, "query", query=query, time=end)[0]["value"][1])
                text = formatted(value, defaults["unit"], defaults.get("mappings", []))
                axes.text(0.5, 0.5, text, color=color(value, defaults), fontsize=22, ha="center", va="center")
                axes.set_xticks([])
                axes.set_yticks([])
                continue
            for series in query_prometheus(url, "query_range", query=query, start=start, end=end, step=step):
                label = target["legendFormat"]
                for name, text in series["metric"].items():
                    label = label.replace("{{" + name + "}}", text)
                points = [(float(at), float(value)) for at, value in series["values"]]
                times = [mdates.date2num(time_of) for time_of in map(_utc, (at for at, _ in points))]
                axes.plot(times, [value for _, value in points], label=label, linewidth=1.4)
        axes.tick_params(colors=FRONT, labelsize=8)
        for edge in axes.spines.values():
            edge.set_color(GRID)
        if panel["type"] != "stat":
            axes.grid(color=GRID)
            axes.set_ylim(bottom=0)
            axes.set_xlim(mdates.date2num(_utc(start)), mdates.date2num(_utc(end)))
            axes.xaxis.set_major_formatter(mdates.DateFormatter("%H:%M:%S"))
            axes.set_ylabel(
                {"reqps": "a second", "s": "seconds"}.get(defaults["unit"], ""), color=FRONT, fontsize=8
            )
            if axes.get_legend_handles_labels()[0]:
                axes.legend(fontsize=8, loc="upper left", facecolor=BACK, labelcolor=FRONT, edgecolor=GRID)
    figure.text(
        0.03,
        0.985,
        f"{dashboard['title']} — drawn by draw.py from a real Prometheus",
        color=FRONT,
        fontsize=13,
    )
    figure.savefig(picture, dpi=75, facecolor=BACK)
    return 0


def _utc(seconds: float) -> Any:
    import datetime

    return datetime.datetime.fromtimestamp(seconds, tz=datetime.timezone.utc)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
