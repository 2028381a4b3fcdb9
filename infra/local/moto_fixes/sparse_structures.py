"""Each member that a response may have is looked up by several names, present or not.

An attribute of DynamoDB alone has ten members, of which one is present: 10 ms for a page of 20
items. A dictionary whose keys are all names of the shape needs no search. In XML and REST responses
members also become headers and bodies; those are left as they are.
"""

from typing import Any

from moto.core.serialize import JSONSerializer


def fix() -> None:
    serialize: Any = JSONSerializer._serialize_type_structure

    def serialize_present(self: Any, serialized: Any, value: Any, shape: Any, key: str) -> None:
        exact = isinstance(value, dict) and value.keys() <= shape.members.keys()
        if not exact or self._value_picker.response_transformers:
            serialize(self, serialized, value, shape, key)
            return
        wrapper = self.MAP_TYPE() if key else serialized
        for name, member in value.items():
            if member is not None:
                shape.members[name].parent = shape
                self._serialize(wrapper, member, shape.members[name], name)
        if key:
            self._default_serialize(serialized, wrapper, shape, key)

    JSONSerializer._serialize_type_structure = serialize_present  # type: ignore[method-assign]
