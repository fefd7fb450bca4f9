"""Each defect is one passage of the code, planted once, and it still is the code."""

import ast

import pytest

from benchmarks.defects import DEFECTS
from benchmarks.mutants import LAYERS, ROOT

each = pytest.mark.parametrize("defect", DEFECTS.values(), ids=DEFECTS)


@each
def test_its_passage_is_there_once(defect) -> None:
    assert (ROOT / defect.path).read_text("utf-8").count(defect.sound) == 1


@each
def test_it_is_python(defect) -> None:
    text = (ROOT / defect.path).read_text("utf-8")
    ast.parse(text.replace(defect.sound, defect.defective))


@each
def test_its_layer_is_one(defect) -> None:
    assert defect.layer in LAYERS
