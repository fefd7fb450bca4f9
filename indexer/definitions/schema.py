"""JSON Schemas of the definition files, generated from the models, for editors.

An editor sees a file as YAML 1.2 does: ``version: 1`` and ``002371`` are integers there, while here
every scalar is text. So whatever may be written as a number is allowed to be one. The schemas are
draft 7, the newest one that the YAML language server reads.

``python -m indexer.definitions.schema`` rewrites the files beside this module.
"""

import json
import re
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue, models_json_schema
from pydantic_core import core_schema

from indexer.definitions.basket import COUNTRY, Basket, Series
from indexer.definitions.study import Study
from indexer.definitions.sweep import Sweep

_DIALECT = "http://json-schema.org/draft-07/schema#"


class _EditorSchema(GenerateJsonSchema):
    """What the models accept, as an editor sees it before the scalars are read as text."""

    def str_schema(self, schema: core_schema.StringSchema) -> JsonSchemaValue:
        written = super().str_schema(schema)
        pattern = written.get("pattern")
        if pattern is None:
            written["type"] = ["string", "number", "boolean"]
        elif re.search(pattern, "1"):
            written["type"] = ["string", "integer"]
        return written

    def literal_schema(self, schema: core_schema.LiteralSchema) -> JsonSchemaValue:
        """Return the values allowed; digits also as an integer."""
        numbers = [int(value) for value in schema["expected"] if value.isdecimal()]
        return {"enum": [*schema["expected"], *numbers]}

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        """Return the schema of the value: there is no null in a file, only an absent key."""
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        """Return the schema with its default, but not with one made of other keys' defaults."""
        written = super().default_schema(schema)
        if written.get("default") is None or isinstance(written["default"], dict):
            written.pop("default", None)
        return written

    def field_title_should_be_set(self, schema: Any) -> bool:
        """Return False: a title would only repeat the key."""
        return False


def basket_schema() -> JsonSchemaValue:
    """Return the schema of an index definition: a series where ``kind`` says so, else a basket."""
    inputs = [(Basket, "validation"), (Series, "validation")]
    _, written = models_json_schema(inputs, schema_generator=_EditorSchema)  # type: ignore[arg-type]
    parts = written["$defs"]
    _allow_constituents_file(parts["Basket"])
    parts["Withholding"] = _allow_one_rate(parts["Withholding"])
    parts["Prose"] = _allow_text(parts["Prose"])
    is_series = {"properties": {"kind": {"const": "series"}}, "required": ["kind"]}
    return {
        "$schema": _DIALECT,
        "title": "Index definition",
        "properties": {"kind": {"enum": ["index", "series"]}},
        "if": is_series,
        "then": {"$ref": "#/$defs/Series"},
        "else": {"$ref": "#/$defs/Basket"},
        "$defs": parts,
    }


def study_schema() -> JsonSchemaValue:
    """Return the schema of a study definition."""
    written = Study.model_json_schema(schema_generator=_EditorSchema)
    written["$defs"]["Prose"] = _allow_text(written["$defs"]["Prose"])
    return {"$schema": _DIALECT, **written, "title": "Study definition"}


def sweep_schema() -> JsonSchemaValue:
    """Return the schema of a sweep definition, which names a study or baskets."""
    written = Sweep.model_json_schema(schema_generator=_EditorSchema)
    written["properties"]["vary"]["additionalProperties"] = False
    one = [{"required": ["study"]}, {"required": ["baskets"]}]
    return {"$schema": _DIALECT, **written, "title": "Sweep definition", "oneOf": one}


def schema_files() -> dict[Path, str]:
    """Return what belongs in each schema file."""
    folder = Path(__file__).parent
    schemas = {"basket": basket_schema(), "study": study_schema(), "sweep": sweep_schema()}
    return {
        folder / f"{name}.schema.json": json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
        for name, schema in schemas.items()
    }


def _allow_constituents_file(basket: JsonSchemaValue) -> None:
    basket["properties"]["constituents_file"] = {
        "description": "CSV file in the definition's folder, in the place of constituents",
        "type": "string",
        "minLength": 1,
    }
    basket["required"].remove("constituents")
    basket["oneOf"] = [{"required": ["constituents"]}, {"required": ["constituents_file"]}]


def _allow_one_rate(withholding: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of a table by country, or of one rate for all."""
    rate = withholding.pop("additionalProperties")
    withholding |= {"patternProperties": {COUNTRY: rate}, "additionalProperties": False}
    description = withholding.pop("description")
    return {"description": description, "anyOf": [rate, withholding]}


def _allow_text(prose: JsonSchemaValue) -> JsonSchemaValue:
    """Return the schema of a text by language, or of one alone."""
    description = prose.pop("description")
    return {"description": description, "anyOf": [prose["properties"]["en"], prose]}


if __name__ == "__main__":
    for path, text in schema_files().items():
        path.write_text(text, encoding="utf-8")
