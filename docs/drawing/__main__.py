"""Draw every picture: `make pictures`."""

from docs.drawing import pictures


def main() -> None:
    for path, text in pictures().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()
