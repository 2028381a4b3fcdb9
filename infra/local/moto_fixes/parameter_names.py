"""Task parameters are not converted for services that spell them in lowerCamelCase.

This breaks ecs:runTask, states:startExecution, aws-sdk:s3 and others. moto has the conversion, but
does not use it.
"""

import functools
from typing import Any

import botocore
import botocore.session
from botocore.model import OperationModel
from moto.stepfunctions.parser.asl.component.state.exec.state_task.service.state_task_service import (  # noqa: E501
    StateTaskService,
)


def fix() -> None:
    StateTaskService._normalise_parameters = _translate_parameters  # type: ignore[method-assign]
    StateTaskService._normalise_response = _translate_response  # type: ignore[method-assign]


def _translate_parameters(
    self: Any, parameters: Any, boto_service_name: Any = None, service_action_name: Any = None
) -> None:
    shape = _operation_of(self, boto_service_name, service_action_name).input_shape
    if shape is not None:
        self._to_boto_request(parameters, shape)


def _translate_response(
    self: Any, response: Any, boto_service_name: Any = None, service_action_name: Any = None
) -> None:
    shape = _operation_of(self, boto_service_name, service_action_name).output_shape
    if shape is not None:
        self._from_boto_response(response, shape)


def _operation_of(task: Any, service: Any, action: Any) -> OperationModel:
    return _operation(task._get_boto_service_name(service), task._get_boto_service_action(action))


@functools.cache
def _operation(service: str, action: str) -> OperationModel:
    name = {"sfn": "stepfunctions"}.get(service, service)
    model = botocore.session.get_session().get_service_model(name)
    names = {botocore.xform_name(operation): operation for operation in model.operation_names}
    return model.operation_model(names[action])
