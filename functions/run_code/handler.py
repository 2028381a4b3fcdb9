"""State RunCode: execute the Python of one code_interpreter call."""

from assistants.states import answer_hosted_call

handler = answer_hosted_call
