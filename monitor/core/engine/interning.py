"""Equal parts of different queries made one and the same object, so that each is evaluated once an article."""

from typing import Any, cast

from monitor.core.query.expression import Expression, children, with_parts


class Interner:
    """Every expression in use, each once, with the number of its users: queries, and expressions it is a part of."""

    def __init__(self) -> None:
        self._nodes: dict[Expression, list[Any]] = {}  # the node itself, and how many use it

    def __len__(self) -> int:
        return len(self._nodes)

    def take(self, node: Expression) -> Expression:
        """Return the one object that is equal to the node, and count one more user."""
        known = self._nodes.get(node)
        if known is None:
            parts = children(node)
            kept = with_parts(node, tuple(map(self.take, parts))) if parts else node
            known = self._nodes[kept] = [kept, 0]
        known[1] += 1
        return cast("Expression", known[0])

    def release(self, node: Expression) -> None:
        """Count one user less; the last one takes the node and its hold on its parts away."""
        known = self._nodes[node]
        known[1] -= 1
        if not known[1]:
            del self._nodes[node]
            for part in children(node):
                self.release(part)
