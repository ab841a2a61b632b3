from __future__ import annotations

import pytest

from engine.sources import code as code_module
from engine.sources import grammars, read_source
from engine.sources.code import code_sections

PYTHON = '''#!/usr/bin/env python
"""Ünïcode doc."""
import os

# About run.
@decorated
def run():
    return 1  # trailing

LIMIT = 3

class App(Base):
    """An app. é"""
    size = 1

    # About route.
    @property
    def route(self):
        pass

    async def stop(self): ...
    late = 2
'''
JAVASCRIPT = """import a from 'a';

/** Adds. */
export function add(x, y) {
  return x + y;
}

const twice = (x) => 2 * x;

export default class Shop extends Base {
  open() { return 1; }
  static close() { return 2; }
}
"""
OTHERS = {
    "go": ("package a\n\n// Run runs.\nfunc (s *Server[T]) Run() {}\n\ntype Server struct{ n int }\n",
           [(), ("func Server.Run",), ("type Server",)]),
    "rust": ("use x;\n\n#[derive(A)]\n/// A point.\npub struct Point { x: i32 }\n\nimpl Show for Point {\n  fn show(&self) {}\n}\n",
             [(), ("struct Point",), ("impl Show for Point",), ("impl Show for Point", "fn show")]),
    "java": ("package a;\n\n/** Doc. */\n@X\npublic class Shop {\n  Shop() {}\n  int open() { return 1; }\n}\n",
             [(), ("class Shop",), ("class Shop", "constructor Shop"), ("class Shop", "method open")]),
    "c": ("#ifndef H\n#define H\n#include <a.h>\n\n/* Adds. */\nstatic int *add(int a) { return 0; }\n\nstruct P { int x; };\n#endif\n",
          [(), ("add()",), ("struct P",)]),
    "cpp": ("namespace n {\nclass A {\n public:\n  int f() { return 1; }\n};\n}\ntemplate <class T> int A::g(T x) { return 2; }\n",
            [("namespace n",), ("namespace n", "class A"), ("namespace n", "class A", "f()"), ("A::g()",)]),
    "typescript": ("interface I { x: number }\n\nexport abstract class A {\n  foo(): number { return 1; }\n}\nexport const h = function () {};\n",
                   [("interface I",), ("class A",), ("class A", "method foo"), ("function h",)]),
}  # fmt: skip


@pytest.fixture
def every_class_is_large(monkeypatch):
    monkeypatch.setattr(code_module, "LARGE_CONTAINER", 10)


def split(text, language):
    sections = code_sections(text, language)
    assert sections is not None
    assert "".join(text[s.start : s.end] for s in sections) == text
    return [(s.title, text[s.start : s.end]) for s in sections]


def test_python(every_class_is_large):
    parts = split(PYTHON, "python")
    assert [title for title, _ in parts] == [
        (), ("def run",), (), ("class App",), ("class App", "def route"), ("class App", "def stop"), ("class App",),
    ]  # fmt: skip
    assert parts[0][1].endswith("import os\n\n")
    assert parts[1][1].startswith("# About run.\n@decorated") and "trailing" in parts[1][1]
    assert parts[3][1].startswith("class App(Base)") and parts[3][1].rstrip().endswith("size = 1")
    assert parts[4][1].lstrip().startswith("# About route.")


def test_a_small_class_stays_in_one_piece():
    assert [title for title, _ in split(PYTHON, "python")] == [(), ("def run",), (), ("class App",)]


def test_javascript(every_class_is_large):
    parts = split(JAVASCRIPT, "javascript")
    assert [title for title, _ in parts] == [
        (), ("function add",), ("function twice",), ("class Shop",), ("class Shop", "method open"), ("class Shop", "method close"),
    ]  # fmt: skip
    assert parts[1][1].startswith("/** Adds. */")


@pytest.mark.parametrize("language", OTHERS)
def test_other_languages(every_class_is_large, language):
    text, expected = OTHERS[language]
    assert [title for title, _ in split(text, language)] == expected


def test_windows_line_ends_and_mark(every_class_is_large):
    parts = split("\ufeff" + PYTHON.replace("\n", "\r\n"), "python")
    assert parts[1][0] == ("def run",) and parts[1][1].startswith("# About run.")


def test_syntax_errors_leave_the_other_definitions():
    parts = split("def a():\n    return 1\n\ndef (((:\n\ndef b():\n    return 2\n", "python")
    assert ("def a",) in [title for title, _ in parts]


def test_no_grammar_falls_back_to_paragraphs(tmp_path, monkeypatch):
    (tmp_path / "a.lua").write_text("local a = 1\n\nfunction f() end\n")
    (source,) = read_source(tmp_path / "a.lua").sources
    assert source.kind == "code" and [s.title for s in source.sections] == [(), ()]

    monkeypatch.setattr(grammars, "import_module", lambda name: (_ for _ in ()).throw(ImportError(name)))
    grammars.parser_for.cache_clear()
    (tmp_path / "a.go").write_text("package a\n\nfunc f() {}\n")
    (source,) = read_source(tmp_path / "a.go").sources
    assert [s.title for s in source.sections] == [(), ()]
    grammars.parser_for.cache_clear()


def test_a_huge_generated_file_falls_back(monkeypatch):
    monkeypatch.setattr(code_module, "LARGEST_FILE", 10)
    assert code_sections(PYTHON, "python") is None


@pytest.mark.parametrize("language", sorted(grammars.GRAMMARS))
@pytest.mark.parametrize("text", ["\x01\x02 garbage ((( {{{ ''' \"", "{" * 5000, "x", "é" * 50 + "\n" + "(" * 3000])
def test_garbage_never_fails(language, text):
    sections = code_sections(text, language)
    assert sections is None or "".join(text[s.start : s.end] for s in sections) == text
