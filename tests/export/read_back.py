"""Reads an export back: EXPORT.csv with pandas, and a folder of event files with tensorboard. Prints one JSON object."""

import json
import sys
from pathlib import Path

import pandas
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.plugins.hparams import plugin_data_pb2

table = pandas.read_csv(sys.argv[1])
table["timestamp"] = pandas.to_datetime(table["timestamp"])
folder = Path(sys.argv[2])


def hparams(accumulator, tag):
    content = accumulator.SummaryMetadata(tag).plugin_data.content
    return plugin_data_pb2.HParamsPluginData.FromString(content)


def read(path):
    accumulator = EventAccumulator(str(path), size_guidance={"scalars": 0})
    accumulator.Reload()
    return accumulator


cells = {}
for path in sorted(folder.glob("cell *")):
    accumulator = read(path)
    start = hparams(accumulator, "_hparams_/session_start_info").session_start_info
    end = hparams(accumulator, "_hparams_/session_end_info").session_end_info
    scalars = {tag: [[x.step, x.value, x.wall_time] for x in accumulator.Scalars(tag)] for tag in accumulator.Tags()["scalars"]}
    settings = {name: value.number_value for name, value in start.hparams.items()}
    cells[path.name] = {"scalars": scalars, "settings": settings, "status": end.status}
experiment = hparams(read(folder), "_hparams_/experiment").experiment
print(
    json.dumps(
        {
            "rows": len(table),
            "lambda_max": table["lambda_max"].tolist(),
            "seconds": [(time - table["timestamp"][0]).total_seconds() for time in table["timestamp"]],
            "cells": cells,
            "settings": [info.name for info in experiment.hparam_infos],
            "metrics": [info.name.tag for info in experiment.metric_infos],
        }
    )
)
