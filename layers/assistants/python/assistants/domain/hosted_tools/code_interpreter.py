"""The code interpreter: the model's Python runs in a session that belongs to the thread."""

from typing import Literal

from assistants.domain.hosted_tools.spec import HostedToolEntry, HostedToolSpec


class CodeInterpreterTool(HostedToolEntry):
    type: Literal["code_interpreter"]


CODE_INTERPRETER = HostedToolSpec(
    entry=CodeInterpreterTool,
    state="RunCode",
    argument="code",
    schema={"type": "string", "description": "Python source"},
    description=(
        "Runs Python in a Jupyter-like session that keeps its variables. Files lie in /mnt/data; "
        "what you write there can be given to the user as sandbox:/mnt/data/<name>. There is no "
        "network. The last expression and everything printed comes back."
    ),
    first_members={"input": "", "outputs": []},
    shown_argument="input",
    takes_files_for="code",
)
