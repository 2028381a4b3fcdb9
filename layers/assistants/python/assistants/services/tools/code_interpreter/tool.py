"""The code interpreter as a tool of a run: code in; logs, images and files out."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.code_call import NoCodeError, code_in, is_bare
from assistants.domain.errors import NotFoundError
from assistants.domain.hosted_tools.code_interpreter import CODE_INTERPRETER
from assistants.domain.ids import ProjectId
from assistants.domain.run import RunSettings
from assistants.ports.hosted_tool import HostedTool, ToolAnswer, ToolUse
from assistants.ports.sandbox import MAX_CODE_BYTES, SandboxRefusedError, SandboxUnavailableError
from assistants.services.files.service import Files
from assistants.services.storage.background import Background
from assistants.services.tools.code_interpreter.execution import (
    CodeLostError,
    CodeRunner,
    ExecutedCode,
    RunOverError,
)
from assistants.services.tools.code_interpreter.input_files import describe_input_files
from assistants.services.tools.code_interpreter.output_files import OutputSaver
from assistants.services.tools.code_interpreter.report import output_for_model, outputs_for_clients

_LOST = (
    "The session ended while it had this code, so nothing is known of its result. All variables "
    "and all files in /mnt/data are gone; a new session will begin with the next call."
)
_UNAVAILABLE = "The code interpreter cannot be started at the moment. The code was not executed."
_OVER = "The code was stopped because the run's time was up."
_REFUSED = "The session gave no result for the code: {}."


@dataclass(frozen=True)
class CodeInterpreter(HostedTool):
    runner: CodeRunner
    output_saver: OutputSaver
    files: Files
    background: Background

    def instructions(self, project: ProjectId, run: RunSettings) -> str | None:
        """List the files that code will find."""
        if not run.file_ids:
            return None
        return describe_input_files(run, self.files.find(project, run.file_ids))

    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],  # noqa: ARG002 - nothing is waited for
        seconds_left: int,  # noqa: ARG002
    ) -> None:
        """Begin to launch a session, without delaying the model.

        A launch that is interrupted is completed by the first call.
        """
        if run.tool_choice != "none":
            self.background(lambda: self.runner.sessions.prepare(project, run.thread_id))

    def answer(self, use: ToolUse) -> ToolAnswer:
        try:
            code = code_in(use.arguments, max_bytes=MAX_CODE_BYTES)
            executed = self.runner.run(use, code)
        except NoCodeError as error:
            return ToolAnswer(str(error))
        except CodeLostError:
            return ToolAnswer(_LOST)
        except RunOverError:
            return ToolAnswer(_OVER)
        except SandboxRefusedError as refused:
            return ToolAnswer(_REFUSED.format(refused.code))
        except (SandboxUnavailableError, NotFoundError):
            return ToolAnswer(_UNAVAILABLE)
        answer = self._answer(use, executed)
        if is_bare(use.arguments):  # then clients have not seen the code in the arguments
            answer.shown[str(CODE_INTERPRETER.shown_argument)] = code
        return answer

    def _answer(self, use: ToolUse, executed: ExecutedCode) -> ToolAnswer:
        sessions, opened = self.runner.sessions, executed.opened
        saved = self.output_saver.save(opened, use, executed.execution)
        loaded = sessions.repository.change(
            opened.loaded, lambda sandbox: sandbox.with_outputs(saved.files)
        )
        if saved.session_lost:
            sessions.discard(loaded, opened.name, "it ended before its files were saved")
        return ToolAnswer(
            output=output_for_model(executed, saved),
            shown={"outputs": outputs_for_clients(executed.execution, saved.images)},
            files={path: file.file_id for path, file in loaded.sandbox.outputs.items()},
            images=saved.images,
        )
