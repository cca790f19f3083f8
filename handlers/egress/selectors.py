"""Kubernetes label selectors over plain labels, for what policy identities have no part in."""

from collections.abc import Mapping


def selector_matches(selector: object, labels: Mapping[str, str]) -> bool:
    """Whether a Kubernetes label selector matches (Kubernetes, Labels and Selectors); no selector matches everything.

    A selector that is malformed matches nothing.
    """
    if selector is None:
        return True
    if not isinstance(selector, Mapping):
        return False
    wanted, expressions = selector.get("matchLabels") or {}, selector.get("matchExpressions") or []
    if not isinstance(wanted, Mapping) or not isinstance(expressions, list):
        return False
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _expression_matches(expression, labels) for expression in expressions
    )


def _expression_matches(expression: object, labels: Mapping[str, str]) -> bool:
    if not isinstance(expression, Mapping):
        return False
    key, values = str(expression.get("key")), expression.get("values") or []
    match expression.get("operator"):
        case "In":
            return key in labels and labels[key] in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
    return False
