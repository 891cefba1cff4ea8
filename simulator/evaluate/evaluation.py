"""What the evaluation of one part of the product gives: figures, and what a reader needs to trust them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Cell = str | float | int


@dataclass(frozen=True, slots=True)
class Table:
    """A table of a document.

    Attributes:
        title: one line.
        columns: their heads.
        rows: each as long as `columns`; a NaN is shown as a dash.
    """

    title: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]


@dataclass(frozen=True, slots=True)
class Plot:
    """Lines over one common axis.

    Attributes:
        name: of the file, without ending.
        title: one line.
        x: what the axis below says.
        y: what the axis on the left says.
        lines: for each label its points' x and y, both of one length.
    """

    name: str
    title: str
    x: str
    y: str
    lines: Mapping[str, tuple[Sequence[float], Sequence[float]]]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The outcome of evaluating one part.

    Attributes:
        figures: by their names.
        tables: for the document, in its order.
        plots: likewise.
        remarks: sentences on how the run was made, such as where training ended and how many cases were scored.
    """

    figures: Mapping[str, float]
    tables: Sequence[Table] = ()
    plots: Sequence[Plot] = ()
    remarks: Sequence[str] = field(default_factory=tuple)
