"""A model's scorecard as a self-contained HTML page, without scripts or external resources."""

from collections.abc import Iterable
from html import escape
from string import Template
from typing import NamedTuple

_PAGE = Template("""\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; color: #1c1c1c; }
body { max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; }
th, td { padding: .4rem .8rem .4rem 0; border-bottom: 1px solid #d5d5d5; }
td.value { font-variant-numeric: tabular-nums; white-space: nowrap; }
td.verdict { font-weight: 600; }
.pass { color: #14692c; } .fail { color: #a4130f; }
.undecided { color: #8a5300; } .informative { color: #585858; }
</style>
</head>
<body>
<h1>$title</h1>
<p class="$state"><strong>$summary</strong></p>
<p>$note</p>
<table>
<thead>
<tr><th>Test</th><th>Value</th><th>Requirement</th><th>Verdict</th><th>What it means</th></tr>
</thead>
<tbody>
$rows
</tbody>
</table>
</body>
</html>
""")


class Row(NamedTuple):
    """One test: its name, its value as text, the requirement, the verdict and the meaning.

    `verdict` is also the name of its style.
    """

    name: str
    value: str
    asked: str
    verdict: str
    meaning: str


def scorecard_page(title: str, summary: str, note: str, rows: Iterable[Row], *, state: str) -> str:
    """Return the page. Every text is escaped. `state`: the verdict on the model as a whole."""
    return _PAGE.substitute(
        title=escape(title),
        summary=escape(summary),
        note=escape(note),
        state=escape(state),
        rows="\n".join(_row(row) for row in rows),
    )


def _row(row: Row) -> str:
    name, value, asked, verdict, meaning = (escape(text) for text in row)

    return (
        f'<tr><td>{name}</td><td class="value">{value}</td><td>{asked}</td>'
        f'<td class="verdict {verdict}">{verdict}</td><td>{meaning}</td></tr>'
    )
