"""Croissant 1.0: the same folder described for machines.

https://docs.mlcommons.org/croissant/docs/croissant-spec.html
"""

from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from stages.publication.layout import Published
from stages.records import TrainingExample

_TERMS = """
    citeAs column dataBiases dataCollection equivalentProperty extract field fileProperty fileObject fileSet
    format includes isLiveDataset jsonPath key md5 parentField path personalSensitiveInformation recordSet
    references regex repeated replace samplingRate separator source subField transform
"""
# The context that the specification prescribes.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "sc": "https://schema.org/",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "dct": "http://purl.org/dc/terms/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    **{name: f"cr:{name}" for name in _TERMS.split()},
    "conformsTo": "dct:conformsTo",
}
LICENSES = {
    "apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "cc-by-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "cc-by-sa-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "cc0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "mit": "https://opensource.org/license/mit",
}
_TYPES = {"string": "sc:Text", "int64": "sc:Integer", "double": "sc:Float", "bool": "sc:Boolean"}


def document(title: str, description: str, license: str, sets: Sequence[Published]) -> dict[str, Any]:
    """Return the JSON-LD document of a folder.

    Args:
        title: of the whole.
        description: one paragraph, plain text.
        license: identifier of the hub's list; its address where it is known here.
        sets: one file and one record set each.
    """
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": " ".join(title.split()),
        "description": description,
        "license": LICENSES.get(license, license),
        "distribution": [_file(one) for one in sets],
        "recordSet": [_record_set(one) for one in sets],
    }


def _file(one: Published) -> dict[str, Any]:
    return {
        "@type": "cr:FileObject",
        "@id": one.path,
        "name": one.path,
        "contentUrl": one.path,
        "contentSize": f"{one.size} B",
        "encodingFormat": "application/x-parquet",
        "sha256": one.sha256,
    }


def _record_set(one: Published) -> dict[str, Any]:
    schema = TrainingExample.arrow_schema()
    return {
        "@type": "cr:RecordSet",
        "@id": one.config,
        "name": one.config,
        "description": f"{one.examples} examples, one a row.",
        "key": [{"@id": f"{one.config}/{name}"} for name in ("question_id", "rollout")],
        "field": [_field(one, column, f"{one.config}/{column.name}", column.name) for column in schema],
    }


def _field(one: Published, column: pa.Field, identity: str, top: str, inside: str = "") -> dict[str, Any]:
    """Return a column, or a part `inside` the column `top`, as a field."""
    repeated = pa.types.is_list(column.type)
    kind = column.type.value_type if repeated else column.type
    source: dict[str, Any] = {"fileObject": {"@id": one.path}, "extract": {"column": top}}
    if inside:
        source["transform"] = {"jsonPath": inside}
    field: dict[str, Any] = {"@type": "cr:Field", "@id": identity, "name": identity}
    field |= {"repeated": True} if repeated else {}
    if pa.types.is_struct(kind):
        parts = [_field(one, part, f"{identity}/{part.name}", top, part.name) for part in kind]
        return field | {"source": source, "subField": parts}
    return field | {"dataType": _TYPES[str(kind)], "source": source}
