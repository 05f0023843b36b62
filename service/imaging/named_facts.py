"""Side and view that the caller names, for files that do not say them.

The header counts where it says something. It was written at the machine, and archives and viewers
show it: an answer must not speak of another breast than they do. A caller that knows better
corrects the file.
"""

from dataclasses import dataclass, replace

from service.imaging.dicom.acceptance import ORIENTATION_CONTRADICTED, contradicts_orientation
from service.imaging.reading import Read, Reading
from service.records import FitParameters, ImageFacts, NamedFacts, QualityWarning

_NAMERS = {"caller": "The caller names", "file-name": "The name of the file says"}
# View Position has terms that describe the same view as another code with a modifier.
_LOOSE_VIEWS = {"XCC", "CV", "AT"}


@dataclass(frozen=True, slots=True)
class NamingReader:
    """A `Read` that adds the named side and view to the facts of a file."""

    read: Read
    named: NamedFacts

    def __call__(self, data: bytes, parameters: FitParameters, picture_edge: float = 0) -> Reading:
        """Read and fit the file; see `Read`."""
        return add_named_facts(self.read(data, parameters, picture_edge), self.named)


def add_named_facts(reading: Reading, named: NamedFacts) -> Reading:
    """Return the reading with the named side and view where the file says none.

    The pixels decide the side of the chest wall in any case, so nothing else changes. A named value
    that differs from the header's is not used, and gives a warning.
    """
    facts = _complete(reading.facts, named)
    warnings = [*reading.warnings, *_contradictions(reading.facts, named)]

    if ORIENTATION_CONTRADICTED not in warnings and contradicts_orientation(facts):
        warnings.append(ORIENTATION_CONTRADICTED)
    return replace(reading, facts=facts, warnings=tuple(warnings))


def _complete(facts: ImageFacts, named: NamedFacts) -> ImageFacts:
    """Return the facts with the named side and view where the file says none."""
    if facts.laterality is None and named.laterality is not None:
        facts = replace(facts, laterality=named.laterality, laterality_source=named.source)
    if facts.view is None and named.view is not None:
        facts = replace(facts, view=named.view, view_source=named.source)
    return facts


def _contradictions(facts: ImageFacts, named: NamedFacts) -> tuple[QualityWarning, ...]:
    """Return a warning if the header says another side or view than was named."""
    other_side = facts.laterality_source == "header" and named.laterality not in {
        facts.laterality,
        None,
    }
    views = {facts.view, named.view}
    other_view = (
        facts.view_source == "header" and len(views) > 1 and not views & {None, *_LOOSE_VIEWS}
    )

    others = [name for name, other in (("side", other_side), ("view", other_view)) if other]
    if not others:
        return ()
    message = (
        f"{_NAMERS[named.source]} another {' and another '.join(others)} than the file's header. "
        "The header's was used."
    )
    return (QualityWarning("caller-contradicted", message),)
