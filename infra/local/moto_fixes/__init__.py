"""What moto 5.2.5 does otherwise than AWS and this project needs as on AWS; one module a defect.

Each module has one function `fix()`, and a test that fails without it. All of them change moto in
this process, once; a new version of moto must be checked against the tests.
"""

import functools

from infra.local.moto_fixes import (
    cached_clients,
    cached_paths,
    cached_programs,
    callbacks,
    cloudformation_machines,
    concurrent_queues,
    delivery,
    execution_events,
    function_targets,
    interface_names,
    json_templates,
    jsonata,
    name_lists,
    parameter_names,
    partition_queries,
    sparse_structures,
    stop_execution,
    task_definitions,
    task_memory,
    transactions,
    unsupported_resources,
)

FIXES = (
    cached_clients,
    cached_paths,
    cached_programs,
    callbacks,
    cloudformation_machines,
    concurrent_queues,
    delivery,
    execution_events,
    function_targets,
    interface_names,
    json_templates,
    jsonata,
    name_lists,
    parameter_names,
    partition_queries,
    sparse_structures,
    stop_execution,
    task_definitions,
    task_memory,
    transactions,
    unsupported_resources,
)


@functools.cache
def apply() -> None:
    """Fix moto in this process."""
    for module in FIXES:
        module.fix()
