#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A man page of what a program's --help or a document says: Markdown, which lowdown formats.

usage: man.py NAME.SECTION SUMMARY [--see PAGES] [--without HEADING]... FILE.md | PROGRAM

SUMMARY is the line of apropos. A document's tables become lists of definitions. An executable
is asked for its --help, and if that lists commands, for the --help of each.
"""
import argparse
import os
import re
import subprocess

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../..")

# Documents that are man pages, too.
PAGES = {"CONFIG.md": "knit.cfg(5)", "MODULE.md": "rte_kni(4)"}


def definition(term, lines):
    return "**%s**\n: %s\n\n" % (term.replace("`", ""), "\n  ".join(lines))


def row(heads, cells):
    """A table's row: its first cell is the term. Columns need a label unless it is clear."""
    clear, labelled = [], []
    for head, cell in zip(heads[1:], cells[1:]):
        if head in ("", "meaning"):
            clear.append(cell + "  ")
        else:
            labelled.append("%s: %s  " % (head, cell))
    return definition(cells[0], clear + labelled)


def cells_of(line):
    return [cell.strip() for cell in line.strip().strip("|").split(" | ")]


def link(match):
    """A link's text, unless it is a document's name that is a page's, too."""
    text, target = match.groups()
    if target.startswith("http"):
        return "%s (%s)" % (text, target)
    return PAGES.get(os.path.basename(target.split("#")[0]), text)


def document(text, without):
    """Headings one level up, without the title; tables and links as above."""
    out, heads, code, skip = ["# DESCRIPTION\n\n"], None, False, False
    for line in text.split("\n", 1)[1].splitlines(keepends=True):
        code ^= line.startswith("```")
        if line.startswith("## ") and not code:
            skip = line[3:].strip() in without
            line = line.upper()
        if skip:
            continue
        if code or line.startswith(("    ", "```")):
            out.append(line)
        elif line.startswith("#"):
            out.append(line[1:])
        elif line.startswith("|"):
            cells = cells_of(re.sub(r"\[([^]]*)\]\(([^)]*)\)", link, line))
            if heads is None:
                heads = cells
            elif not re.match(r"^[| -]*$", line):
                out.append(row(heads, cells))
        else:
            heads = None
            out.append(line)
    return re.sub(r"\[([^]]*)\]\(([^)]*)\)", link, "".join(out))


def synopsis(lines):
    uses = (re.sub(r"^(?:usage:)? *(\S+)", r"**\1**", line) for line in lines)
    return "# SYNOPSIS\n\n%s\n\n# DESCRIPTION\n\n" % "  \n".join(uses)


def definitions(lines):
    """Lines `  -s, --long WORD   text` or `  command   text`, each with lines that go on."""
    out, term, texts = [], None, []
    for line in lines + ["  --"]:
        match = re.match(r"^ {2,6}(\S.*?)(?:  +(.*))?$", line)
        if not match:
            texts.append(line.strip())
            continue
        if term:
            out.append(definition(term, texts))
        term, texts = match[1], [match[2]] if match[2] else []
    return "".join(out)


def exit_status(text):
    codes = re.findall(r"(\d) (.*?)(?=, \d |\.?$)", text.split(":", 1)[1])
    return "# EXIT STATUS\n\n" + "".join(definition(*[c, [t]]) for c, t in codes)


def help_text(*command):
    run = subprocess.run([*command, "--help"], check=len(command) == 1, capture_output=True,
                         text=True)
    return run.stdout.rstrip().split("\n\n")


def command_of(program, name, first, paragraphs):
    """The section of a command; none if another program is behind it."""
    if not first.startswith("usage: %s %s " % (os.path.basename(program), name)):
        return ""
    out = ["## %s\n\n`%s`\n\n" % (name, first.split(None, 1)[1])]
    for paragraph in paragraphs:
        lines = [line for line in paragraph.splitlines() if not line.startswith("  -h, --help")]
        listed = bool(lines) and lines[0].startswith("  ")
        out.append(definitions(lines) if listed else "\n".join(lines) + "\n\n")
    return "".join(out)


def help_of(program):
    first, *paragraphs = help_text(program)
    out, sections, last = [synopsis(first.splitlines())], "", ""
    for paragraph in paragraphs:
        lines = paragraph.splitlines()
        commands = re.findall(r"^  ([a-z]\S*)", paragraph, re.M)
        if lines[0].lower().startswith("exit codes:"):
            last = exit_status(" ".join(lines))
        elif commands:
            out.append("# COMMANDS\n\n" + definitions(lines))
            for name in commands:
                about, *more = help_text(program, name)
                sections += command_of(program, name, about, more)
        elif lines[-1].startswith("  "):
            title = "# OPTIONS" if lines[0].startswith("  ") else lines.pop(0)
            out.append(title + "\n\n" + definitions(lines))
        else:
            out.append(paragraph + "\n\n")
    if sections:
        sections = "# EACH COMMAND\n\n" + sections
    return "".join(out) + sections + last


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("page")
    parser.add_argument("summary")
    parser.add_argument("--see", default="")
    parser.add_argument("--without", action="append", default=[])
    parser.add_argument("source")
    args = parser.parse_args()
    title, section = args.page.rsplit(".", 1)
    if os.access(args.source, os.X_OK):
        body = help_of(os.path.abspath(args.source))
    else:
        with open(args.source, encoding="utf-8") as file:
            body = document(file.read(), args.without)
    see = ", ".join(re.sub(r"(\S+)(\(\d\))", r"**\1**\2", page) for page in args.see.split())
    text = "# NAME\n\n%s - %s\n\n%s\n# SEE ALSO\n\n%s\n" % (
        title, args.summary, body, see)
    with open(os.path.join(ROOT, "VERSION"), encoding="utf-8") as file:
        source = "knit " + file.read().strip()
    subprocess.run(["lowdown", "-s", "-Tman", "--parse-no-intraemph", "--out-no-smarty",
                    "-Mtitle=" + title, "-Msection=" + section, "-Msource=" + source],
                   input=text, text=True, check=True)


if __name__ == "__main__":
    main()
