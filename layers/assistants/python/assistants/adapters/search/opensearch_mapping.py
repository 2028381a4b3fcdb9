"""Define the OpenSearch index: its name and the fields of a chunk.

All attributes of all files are tokens in one keyword field, so that the mapping never grows.
"""

import hashlib
import re
from typing import Any

from assistants.adapters.search.opensearch_client import Dialect

# Split texts as the embedded index does: letters, digits and marks, no case, no accents, stems.
ANALYSIS = {
    "char_filter": {
        "letters": {
            "type": "pattern_replace",
            "pattern": r"[^\p{L}\p{N}\p{M}]+",
            "replacement": " ",
        }
    },
    "analyzer": {
        "words": {
            "type": "custom",
            "char_filter": ["letters"],
            "tokenizer": "standard",
            "filter": ["lowercase", "asciifolding", "porter_stem"],
        }
    },
}

# Serverless refuses a method with an engine, and compresses vectors 32 times by default. A node
# without native libraries only has the engine `lucene`.
# https://docs.aws.amazon.com/opensearch-service/latest/developerguide/serverless-vector-search.html
VECTOR: dict[Dialect, dict[str, Any]] = {
    "serverless": {"space_type": "cosinesimil", "compression_level": "1x"},
    "domain": {"method": {"name": "hnsw", "engine": "faiss", "space_type": "cosinesimil"}},
    "node": {"method": {"name": "hnsw", "engine": "lucene", "space_type": "cosinesimil"}},
}


VERSION = 2  # of the fields; an index with other fields has another name


def index_name(model: str, dimensions: int) -> str:
    """Name the index of an embedding model and dimension: vectors of two cannot be compared."""
    readable = re.sub(r"[^a-z0-9]+", "-", model.lower()).strip("-")[:64]
    digest = hashlib.sha256(model.encode()).hexdigest()[:8]
    return f"chunks-{VERSION}-{readable}-{digest}-{dimensions}"


def index_body(dimensions: int, dialect: Dialect) -> dict[str, Any]:
    """Return the settings and the mapping that the index is created with."""
    return {
        "settings": {"index": {"knn": True}, "analysis": ANALYSIS},
        "mappings": {
            "dynamic": "strict",
            "properties": {
                "store": {"type": "keyword"},
                "document": {"type": "keyword"},
                "number": {"type": "integer"},
                "written": {"type": "keyword"},
                "attributes": {"type": "keyword"},
                "words": {"type": "text", "analyzer": "words"},
                "context": {"type": "text", "index": False, "copy_to": "words"},
                "text": {"type": "text", "index": False, "copy_to": "words"},
                "vector": {"type": "knn_vector", "dimension": dimensions, **VECTOR[dialect]},
                "kept": {"type": "object", "enabled": False},
                "pairs": {"type": "object", "enabled": False},
            },
        },
    }
