"""Prompt templates: Jinja2 in a sandbox, in four blocks, checked before anything is asked."""

import difflib
from collections.abc import Mapping
from typing import Any

from jinja2 import StrictUndefined, Template, TemplateError, TemplateSyntaxError, meta, nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

BLOCKS = ("preamble", "exemplar", "item", "ending")
"""The parts of a prompt, in order (RLAIF, Lee et al. 2023, arXiv 2309.00267, section 3.1)."""

VARIABLES = ("task", "guidelines", "classes", "instruction", "form_is_shown")
"""What every block may name: the task's name, its guidelines, its classes, each with `name` and
`description`, the form of the answer, and whether the exemplars' answers show that form."""

MARK_VARIABLES = ("data_note", "opening", "closing")
"""What preamble and ending may name besides: that what stands between marks is data; such marks."""

DEFAULT = """\
{% block preamble %}
You are an annotator. The task is called "{{ task }}".
{% if guidelines %}

Guidelines:
{{ guidelines }}
{% endif %}

Labels:
{% for class in classes %}
- {{ class.name }}{% if class.description %}: {{ class.description }}{% endif +%}
{% endfor %}

{{ data_note }}
{% if form_is_shown %}

{{ instruction }}
{% endif %}
{% endblock %}
{% block exemplar %}{{ item }}{% endblock %}
{% block item %}{{ item }}{% endblock %}
{% block ending %}{% if not form_is_shown %}{{ instruction }}{% endif %}{% endblock %}
"""
"""The template for tasks with classes, and for each block that a template of the user's leaves out."""


FAILURES = (TemplateError, TypeError, ValueError, LookupError, AttributeError, ArithmeticError)
"""What expressions in a template can raise."""


class PromptError(ValueError):
    """A template that cannot be used; the message says which block of which template, and why."""


class PromptTemplate:
    """The four blocks of a prompt.

    Args:
        name: what messages call it.
        source: Jinja2 text with any of the BLOCKS, and nothing outside of them.
        texts: names by which the blocks exemplar and item know the texts of what is labeled; each is given
            between its marks.
        default: template of the blocks that `source` leaves out.

    Raises:
        PromptError: it is no template, has an unknown block, or names an unknown variable.
    """

    def __init__(self, name: str, source: str, texts: tuple[str, ...], default: str = DEFAULT) -> None:
        self.name = name
        self.texts = texts
        self.version_parts = (source, default)
        self._blocks = {**self._compiled(default), **(self._compiled(source) if source.strip() else {})}

    def render(self, block: str, values: Mapping[str, Any]) -> str:
        """One block's text, without blanks around it. Raises PromptError where a value is missing."""
        template = self._blocks[block]
        try:
            parts = template.blocks[block](template.new_context(dict(values)))
            return "".join(parts).strip()
        except FAILURES as error:
            raise PromptError(f"template {self.name}: block {block}: {error}") from None

    def _compiled(self, source: str) -> dict[str, Template]:
        try:
            tree = ENVIRONMENT.parse(source)
            found = self._block_names(tree)
            self._check_variables(tree)
            template = ENVIRONMENT.from_string(source)
        except TemplateSyntaxError as error:
            raise PromptError(f"template {self.name}: line {error.lineno}: {error.message}") from None
        return dict.fromkeys(found, template)

    def _block_names(self, tree: nodes.Template) -> list[str]:
        names = [node.name for node in tree.find_all(nodes.Block)]
        for name in names:
            if name not in BLOCKS:
                raise PromptError(f"template {self.name}: block {name!r} is unknown{_hint(name, BLOCKS)}")
        if not names or any(not _is_silent(node) for node in tree.body):
            raise PromptError(
                f"template {self.name}: text stands outside the blocks, where nobody would see it; "
                f"put it into {{% block NAME %}}...{{% endblock %}}, NAME one of {', '.join(BLOCKS)}"
            )
        return names

    def _check_variables(self, tree: nodes.Template) -> None:
        for block in tree.find_all(nodes.Block):
            part = nodes.Template(block.body, lineno=block.lineno)
            part.set_environment(ENVIRONMENT)
            own = self.texts if block.name in ("exemplar", "item") else MARK_VARIABLES
            known = (*VARIABLES, *own)
            for name in sorted(meta.find_undeclared_variables(part) - set(known)):
                where = f"template {self.name}: block {block.name}"
                raise PromptError(f"{where}: variable {name!r} is unknown{_hint(name, known)}")


def _is_silent(node: nodes.Node) -> bool:
    """Whether a node at the top of a template is a block or only blanks between blocks."""
    if isinstance(node, nodes.Output):
        return all(isinstance(one, nodes.TemplateData) and not one.data.strip() for one in node.nodes)
    return isinstance(node, nodes.Block)


def _hint(name: str, known: tuple[str, ...]) -> str:
    close = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known are {', '.join(known)}"


ENVIRONMENT = ImmutableSandboxedEnvironment(
    undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, autoescape=False
)
"""Templates can neither load others nor reach Python; values are put in as they are, never rendered again."""
