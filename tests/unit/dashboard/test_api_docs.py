import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from dashboard.api import models, use_models
from ingest.assess.decisions.alerts import TYPES

DOCUMENT = (Path(__file__).parents[3] / "docs" / "api.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "shape",
    [
        models.BinItem,
        models.ReadingItem,
        models.EmptyingItem,
        models.AlertItem,
        models.DeviceItem,
        models.RejectItem,
        models.Moments,
        use_models.UsageItem,
        use_models.PlaceItem,
        use_models.Week,
    ],
)
def test_document_names_every_field(shape: type[BaseModel]) -> None:
    named = set(re.findall(r"`(\w+)`", DOCUMENT))

    assert set(shape.model_fields) - named == set()


@pytest.mark.parametrize(
    "words",
    [
        models.Reason,
        models.Stream,
        models.DueClass,
        models.Sensor,
        models.AlertType,
        models.AlertState,
        models.Notice,
        use_models.By,
        use_models.AdviceKind,
    ],
)
def test_document_names_every_value(words: type[models.StrEnum]) -> None:
    assert [word.value for word in words if f"`{word.value}`" not in DOCUMENT] == []


def test_alerts_have_the_types_that_are_found() -> None:
    assert [word.value for word in models.AlertType] == list(TYPES)
