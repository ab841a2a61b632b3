"""File names to kinds: how a file is read, by its extension or its whole name."""

from __future__ import annotations

from pathlib import PurePath

_KINDS = {
    "markdown": "md markdown mdown mkd mkdn mdx qmd rmd",
    "rst": "rst rest",
    "html": "html htm xhtml",
    "pdf": "pdf",
    "epub": "epub",
    "docx": "docx docm",
    "pptx": "pptx pptm",
    "jsonl": "jsonl ndjson",
    "csv": "csv tsv",
    "notebook": "ipynb",
    "text": "txt text log json json5 jsonc yaml yml toml ini cfg conf env properties xml xsd xsl adoc asciidoc org"
    " tex bib cls sty srt vtt po pot diff patch lock plist desktop service geojson graphqls textile wiki eml mbox",
}

# Extensions of programming languages, by language. The first nine are split by grammar, the others at blank lines.
_LANGUAGES = {
    "python": "py pyi pyw pyx pxd",
    "javascript": "js mjs cjs jsx",
    "typescript": "ts mts cts",
    "tsx": "tsx",
    "java": "java",
    "go": "go",
    "rust": "rs",
    "c": "c h",
    "cpp": "cc cpp cxx c++ hh hpp hxx h++ ino cu cuh",
    "ada": "adb ads",
    "assembly": "asm s",
    "basic": "bas vb vbs",
    "clojure": "clj cljs cljc edn",
    "cmake": "cmake",
    "common-lisp": "lisp lsp el scm ss rkt",
    "crystal": "cr",
    "csharp": "cs csx",
    "css": "css scss sass less styl",
    "d": "d",
    "dart": "dart",
    "elixir": "ex exs",
    "elm": "elm",
    "erlang": "erl hrl",
    "fortran": "f f77 f90 f95 f03 f08 for",
    "fsharp": "fs fsi fsx",
    "graphql": "graphql gql",
    "groovy": "groovy gradle",
    "haskell": "hs lhs",
    "hcl": "hcl tf tfvars",
    "julia": "jl",
    "kotlin": "kt kts",
    "lua": "lua",
    "make": "mk mak",
    "matlab": "m",
    "nim": "nim",
    "nix": "nix",
    "objective-c": "mm",
    "ocaml": "ml mli",
    "pascal": "pas pp dpr",
    "perl": "pl pm t",
    "php": "php phtml",
    "powershell": "ps1 psm1 psd1",
    "prolog": "pro",
    "protobuf": "proto thrift",
    "r": "r",
    "ruby": "rb rake gemspec",
    "scala": "scala sc sbt",
    "shell": "sh bash zsh fish ksh bat cmd awk sed",
    "solidity": "sol",
    "sql": "sql ddl",
    "svelte": "svelte vue astro",
    "swift": "swift",
    "tcl": "tcl",
    "verilog": "v sv svh vhd vhdl",
    "vim": "vim",
    "webassembly": "wat",
    "wgsl": "wgsl glsl hlsl vert frag comp metal cl",
    "zig": "zig",
}

_NAMES = {
    "makefile": "make",
    "gnumakefile": "make",
    "dockerfile": "docker",
    "containerfile": "docker",
    "jenkinsfile": "groovy",
    "rakefile": "ruby",
    "gemfile": "ruby",
    "vagrantfile": "ruby",
    "sconstruct": "python",
    "sconscript": "python",
    "build.bazel": "starlark",
    "cmakelists.txt": "cmake",
    "justfile": "make",
    "procfile": "shell",
}

_NOT_TEXT = {
    "image": "png jpg jpeg gif bmp tif tiff webp ico icns heic heif avif svg psd xcf ai eps raw cr2 nef",
    "audio": "mp3 wav flac ogg oga opus m4a aac wma aif aiff mid midi au",
    "video": "mp4 m4v mkv mov avi webm wmv flv mpg mpeg 3gp",
    "archive": "zip gz tgz bz2 tbz xz txz zst 7z rar tar jar war whl egg deb rpm apk dmg iso cab lz4 br nupkg crate",
    "font": "ttf otf woff woff2 eot pfb pfm",
    "compiled": "pyc pyo pyd so dll dylib exe o obj a lib class wasm bin elf ko bc pdb ilk",
    "office document": "doc xls xlsx ppt odt ods odp pages numbers key rtf",
    "database": "db sqlite sqlite3 mdb accdb dbm ldb",
    "data": "npy npz pkl pickle parquet arrow feather h5 hdf5 mat safetensors pt pth onnx gguf ckpt tflite mo",
    "key": "gpg pgp p12 pfx jks der",
}

_KIND_OF = {extension: kind for kind, row in _KINDS.items() for extension in row.split()}
_LANGUAGE_OF = {extension: language for language, row in _LANGUAGES.items() for extension in row.split()}
_NOT_TEXT_OF = {extension: group for group, row in _NOT_TEXT.items() for extension in row.split()}


def _extension(name: str) -> str:
    return PurePath(name).suffix[1:].lower()


def language_of(name: str) -> str | None:
    """The programming language of a file name, or None."""
    base = PurePath(name).name.lower()
    return _NAMES.get(base) or _LANGUAGE_OF.get(_extension(base))


BINARY_KINDS = frozenset(("pdf", "epub", "docx", "pptx"))


def kind_of(name: str) -> str:
    """text, markdown, rst, html, code, pdf, epub, docx, pptx, csv, notebook or jsonl; an unknown name is text until its bytes say otherwise."""
    if language_of(name):
        return "code"
    return _KIND_OF.get(_extension(name), "text")


def not_text_reason(name: str) -> str | None:
    """Why a file of this name is not read ("image", "archive" ...), or None when its bytes decide."""
    group = _NOT_TEXT_OF.get(_extension(name))
    return f"not text ({group})" if group else None
