"""The style of the sources, as far as a machine can see it."""

import ast
import re
from pathlib import Path

from fakes import source_tree
from fakes.source_tree import LOCK_FILES, hand_written, python_files, text, text_files

LINES_PER_FILE_MAX = 300
LINES_PER_FUNCTION_MAX = 70
LINE_LENGTH_MAX = 100
VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "manager", "misc"})

# Put together here, so that this file does not find itself.
MARKERS = re.compile(
    r"\b(" + "|".join(["TO" + "DO", "FIX" + "ME", "XX" + "X", "HA" + "CK"]) + r")\b"
)
REGISTRIES = re.compile(
    "|".join(
        re.escape(".".join(part.replace("_", "") for part in host))
        for host in (
            ("py_pi", "org"),
            ("python_hosted", "org"),
            ("npm_js", "org"),
            ("npm_js", "com"),
            ("yarn_pkg", "com"),
            ("deb", "deb_ian", "org"),
            ("proxy", "go_lang", "org"),
            ("repo1", "mav_en", "org"),
            ("repo", "mav_en", "apache", "org"),
            ("cra_tes", "io"),
        )
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.$}~-])/(" + "|".join(["wor" + "k", "roo" + "t"]) + r")/\w")


def test_no_file_is_too_long() -> None:
    lengths = {path: len(text(path).splitlines()) for path in hand_written()}
    assert [f"{path}: {n}" for path, n in lengths.items() if n > LINES_PER_FILE_MAX] == []


def test_no_function_is_too_long() -> None:
    found = [
        f"{path}:{node.lineno}: {node.name} has {length} lines"
        for path in python_files()
        if "migrations" not in path.parts  # a migration is one long piece of SQL
        for node in ast.walk(source_tree.tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > LINES_PER_FUNCTION_MAX
    ]
    assert found == []


def test_no_line_is_too_long() -> None:
    found = [
        f"{path}:{number}: {len(line)}"
        for path in hand_written()
        for number, line in enumerate(text(path).splitlines(), start=1)
        if len(line) > LINE_LENGTH_MAX
    ]
    assert found == []


def test_nothing_is_left_over() -> None:
    sources = [path for path in text_files() if path.name not in LOCK_FILES]
    assert _lines_with(MARKERS, [path for path in sources if not _is_built(path)]) == []


def test_no_registry_is_named() -> None:
    assert _lines_with(REGISTRIES, text_files()) == []


def test_no_path_of_one_machine_is_named() -> None:
    assert _lines_with(MACHINE_PATHS, [path for path in text_files() if not _is_built(path)]) == []


def test_every_module_says_what_it_is_for() -> None:
    found = [
        str(path)
        for path in python_files()
        if (not source_tree.is_test(path) or path.parts[1] == "fakes")
        and text(path).strip()
        and not ast.get_docstring(source_tree.tree(path))
    ]
    assert found == []


def test_names_say_something() -> None:
    found = [
        str(path)
        for path in hand_written()
        if VAGUE_NAMES.intersection({path.stem.lower(), *(part.lower() for part in path.parts)})
    ]
    assert found == []


def _is_built(path: Path) -> bool:
    return path.as_posix().startswith("edge/web/dist/")


def _lines_with(pattern: re.Pattern[str], paths: list[Path]) -> list[str]:
    return [
        f"{path}:{number}: {match.group()}"
        for path in paths
        for number, line in enumerate(text(path).splitlines(), start=1)
        if (match := pattern.search(line))
    ]
