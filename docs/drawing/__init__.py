"""Draw the pictures of the documentation (`make pictures`) from what they show."""

from pathlib import Path

from docs.drawing import badges, state_machine, terminal

REPOSITORY = Path(__file__).parents[2]
DOCS = REPOSITORY / "docs"


def pictures() -> dict[Path, str]:
    """Return the text of each picture, by the file that holds it."""
    drawn = {
        DOCS / "state-machine.svg": state_machine.draw(REPOSITORY / "statemachines/run.asl.json"),
        DOCS / "demo.svg": terminal.draw(DOCS / "demo.cast"),
    }
    for name, badge in badges.badges(REPOSITORY / "pyproject.toml").items():
        drawn[DOCS / "badges" / f"{name}.svg"] = badges.draw(badge)
    return drawn
