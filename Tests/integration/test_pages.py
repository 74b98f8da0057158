"""The commands of the pages are those that the program has, and print what stands beside them.

A line of a page that begins with `auscult` is a command; its subcommand and its options have to be there (Tests/Fixtures/commands, which
other tests compare with the program). One that begins with `$ auscult` has its output behind it, and is run where its inputs are at hand.
In an output, `…` on a line of its own stands for any lines; what differs from machine to machine (seconds) is not compared. pages.sh runs it.
"""
import os
import pathlib
import re
import shlex
import shutil
import subprocess

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
FIXTURES = ROOT / "Tests/Fixtures/commands"
PAGES = [ROOT / "README.md", ROOT / "clients/python/README.md", ROOT / "models/README.md", ROOT / "Sources/Whisper/Hooks/INTERVENTIONS.md"]
PAGES += sorted((ROOT / "docs").glob("**/*.md")) + sorted((ROOT / "plugins").glob("**/README.md"))
AUSCULT = os.environ.get("AUSCULT", "")
WORK = pathlib.Path(os.environ.get("PAGES_WORK", "."))
RELEASED = os.environ.get("RELEASED", "/nowhere") + "/whisper-tiny.en"
INPUTS = pathlib.Path(os.environ.get("INPUTS", "/nowhere"))
# What a command may take: the slowest one here scans the built-in clips.
PATIENCE = 900


def blocks(page):
    """The page's blocks of code: their lines, and the number of the first."""
    inside, found, first = None, [], 0
    for number, line in enumerate(page.read_text().splitlines(), 1):
        if line.startswith("```"):
            if inside is None:
                inside, first = [], number + 1
            else:
                found.append((first, inside))
                inside = None
        elif inside is not None:
            inside.append(line)
        elif line.startswith("    "):
            found.append((number, [line.strip()]))
    return found


def words(line):
    """The command as a shell would take it, without what comes behind a bar, a `&&`, or a comment; nil for an incomplete one."""
    try:
        lexer = shlex.shlex(line, posix=True, punctuation_chars="|;&")
        lexer.whitespace_split = True
        lexer.commenters = "#"
        found = []
        for word in lexer:
            if re.fullmatch(r"[|;&]+", word):
                break
            found.append(word)
        return found
    except ValueError:
        return None


def commands():
    """(page, line, words) of every command of the pages."""
    for page in PAGES:
        for first, lines in blocks(page):
            for offset, line in enumerate(lines):
                text = line.removeprefix("$ ")
                while text.endswith("\\") and offset + 1 < len(lines):
                    offset += 1
                    text = text[:-1] + lines[offset]
                if re.match(r"auscult( |$)", text) and (found := words(text)):
                    yield page.relative_to(ROOT), first + offset, found


def examples():
    """(page, line, command, output) of every command whose output stands behind it."""
    for page in PAGES:
        for first, lines in blocks(page):
            starts = [offset for offset, line in enumerate(lines) if line.startswith("$ ")]
            for start, end in zip(starts, [*starts[1:], len(lines)]):
                output = [line for line in lines[start + 1 : end]]
                if re.match(r"\$ (auscult|scripts/look.py) ", lines[start]) and any(line.strip() for line in output):
                    yield page.relative_to(ROOT), first + start, lines[start].removeprefix("$ "), output


def help_of(found):
    """The help of the longest chain of subcommands that the words begin with, and the words behind it."""
    name = "help"
    rest = found[1:]
    while rest and (FIXTURES / f"{name}-{rest[0]}.txt").exists():
        name += f"-{rest.pop(0)}"
    return (FIXTURES / f"{name}.txt").read_text(), rest


ALL = list(commands())


def test_the_pages_have_commands():
    assert len(ALL) > 100 and len({page for page, _, _ in ALL}) > 20


@pytest.mark.parametrize("page, line, found", ALL, ids=[f"{page}:{line}" for page, line, _ in ALL])
def test_a_command_and_its_options_are_there(page, line, found):
    text, rest = help_of(found)
    options = set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", text)) | {"--generate-completion-script", "--no-transcribe"}
    if "SUBCOMMANDS:" in text and rest and not rest[0].startswith("-") and found[1] != "atlas":
        pytest.fail(f"{page}:{line}: there is no `{' '.join(found[:3])}`")
    for word in rest:
        if re.match(r"--?[a-z]", word):
            option = word.partition("=")[0]
            assert option in options, f"{page}:{line}: {' '.join(found)} has {option}, which is not in its help"


def like(expected):
    """A regular expression for an output with its gaps and its seconds."""
    parts = []
    for line in expected:
        text = line.rstrip()
        if text == "…":
            parts.append(r"(?:.*\n)*?")
            continue
        pattern = re.escape(text)
        # Times are the machine's.
        pattern = re.sub(r"\d+\\\.\d+\\ s\b", r"[\\d.]+\\ s", pattern)
        # So are those in the column SECONDS.
        pattern = re.sub(r"(holds?(?:\\ partly)?|said)((?:\\ ){2,})[\d\\.]+(?:\\ )+", r"\1\2[\\d.]+ +", pattern)
        parts.append(pattern + r"[ \t]*\n")
    return "".join(parts)


def inputs(command):
    """The reason why the command cannot run here; the command with the inputs that it has here otherwise."""
    if not AUSCULT:
        return None, "AUSCULT names no program; see pages.sh"
    if "--model tiny.en" in command and not os.path.isdir(RELEASED):
        return None, "no released weights (RELEASED)"
    for name in sorted(set(re.findall(r"(?<![\w./-])[\w./-]+\.(?:wav|flac|mp3|jsonl|atlas|safetensors)\b", re.sub(r"--out \S+", "", command)))):
        if (WORK / name).exists():
            continue
        if not (INPUTS / name).exists():
            return None, f"{name} is no part of the repository (INPUTS)"
        # Where a link leads: a manifest's recordings lie beside it.
        command = command.replace(name, shlex.quote(str((INPUTS / name).resolve())))
    return command, None


EXAMPLES = list(examples())


@pytest.fixture(scope="module")
def tiny():
    """tiny.en has its name, where its weights are at hand."""
    if AUSCULT and os.path.isdir(RELEASED):
        subprocess.run([AUSCULT, "models", "add", RELEASED, "--name", "tiny.en"], check=True, capture_output=True)


@pytest.mark.parametrize("page, line, command, output", EXAMPLES, ids=[f"{page}:{line}" for page, line, _, _ in EXAMPLES])
def test_a_command_prints_what_stands_there(page, line, command, output, tiny):
    found, reason = inputs(command)
    if reason:
        pytest.skip(f"{page}: {reason}")
    if "plugins new" in command:
        shutil.rmtree(WORK / words(command)[3], ignore_errors=True)
    elif "validate" in command and shutil.which("make") and (folder := WORK / words(command)[3].partition("/")[0]).is_dir():
        subprocess.run(["make", "-C", folder], check=True, capture_output=True)
    found = re.sub(r"^scripts/look.py (\S+) \.build/released", lambda parts: f"{ROOT}/scripts/look.py {parts[1]} {RELEASED.rpartition('/')[0]}", found)
    done = subprocess.run(found, shell=True, cwd=WORK, capture_output=True, text=True, timeout=PATIENCE,
                          env={**os.environ, "COLUMNS": "100"})
    assert done.returncode == 0, done.stderr
    assert re.fullmatch(like(output), done.stdout), f"{page}:{line} is now\n{done.stdout}"
