"""The code interpreter as a tool of a run: code in; logs, images and files out."""

from collections.abc import Callable
from dataclasses import dataclass

from assistants.domain.code_call import NoCodeError, code_in, is_bare
from assistants.domain.errors import NotFoundError
from assistants.domain.ids import ProjectId
from assistants.domain.run import RunSettings
from assistants.ports.hosted_tool import ToolAnswer, ToolUse
from assistants.ports.sandbox import MAX_CODE_BYTES, SandboxRefusedError, SandboxUnavailableError
from assistants.services.files.service import Files
from assistants.services.storage.background import Background
from assistants.services.tools.code_interpreter.execution import (
    Cell,
    CodeLostError,
    CodeRunner,
    RunOverError,
)
from assistants.services.tools.code_interpreter.input_files import SandboxInputs
from assistants.services.tools.code_interpreter.output_files import SandboxOutputs
from assistants.services.tools.code_interpreter.report import outputs, told
from assistants.services.tools.code_interpreter.sessions import SandboxSessions

_LOST = (
    "The session ended while it had this code, so nothing is known of its result. All variables "
    "and all files in /mnt/data are gone; a new session will begin with the next call."
)
_UNAVAILABLE = "The code interpreter cannot be started at the moment. The code was not executed."
_OVER = "The code was stopped because the run's time was up."
_REFUSED = "The session gave no result for the code: {}."


@dataclass(frozen=True)
class CodeInterpreter:
    cells: CodeRunner
    outputs: SandboxOutputs
    background: Background

    @classmethod
    def of(
        cls, sessions: SandboxSessions, files: Files, background: Background
    ) -> "CodeInterpreter":
        clock = sessions.clock
        inputs = SandboxInputs(sessions.repository, files, clock)
        return cls(CodeRunner(sessions, inputs, clock), SandboxOutputs(files, clock), background)

    def prepare(
        self,
        project: ProjectId,
        run: RunSettings,
        *,
        cancelled: Callable[[], bool],  # noqa: ARG002 - nothing is waited for
        seconds_left: int,  # noqa: ARG002
    ) -> None:
        """Begin to launch a session, for code that may come. The model is not kept waiting: what
        is broken off is done again by the first call.
        """
        if run.tool_choice != "none":
            self.background(lambda: self.cells.sessions.prepare(project, run.thread_id))

    def answer(self, use: ToolUse) -> ToolAnswer:
        try:
            code = code_in(use.arguments, max_bytes=MAX_CODE_BYTES)
            cell = self.cells.run(use, code)
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
        answer = self._answered(use, cell)
        if is_bare(use.arguments):
            answer.shown["input"] = code
        return answer

    def _answered(self, use: ToolUse, cell: Cell) -> ToolAnswer:
        sessions, opened = self.cells.sessions, cell.opened
        kept = self.outputs.keep(opened, use, cell.execution)
        loaded = sessions.repository.change(opened.loaded, lambda box: box.having_made(kept.made))
        if kept.lost:
            sessions.lose(loaded, opened.name, "it ended before its files were kept")
        return ToolAnswer(
            told=told(cell, kept),
            shown={"outputs": outputs(cell.execution, kept.images)},
            files={path: made.file_id for path, made in loaded.box.outputs.items()},
            images=kept.images,
        )
