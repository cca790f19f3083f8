"""Why a rule did not match, in the words of the manifest's author."""

from handlers.model import decision as why
from handlers.model.decision import Clause, NearestMiss
from handlers.model.finding import Sentence, Value
from handlers.model.labels import NAMESPACE_LABEL
from handlers.model.party import Party
from handlers.model.rule import Implied, Operator


def nearest_in_words(miss: NearestMiss, peer: Party) -> Sentence:
    """Return ``nearest is /spec/ingress/2 of …: …``."""
    # One clause can be mended; of many the first is enough to see how far off the rule is.
    shown = miss.clauses[:2] if len(miss.clauses) == 2 else miss.clauses[:1]
    first, *second = (_clause(clause, peer) for clause in shown)
    words = "nearest is {rule} of {policy}: {first}"
    values: dict[str, Value] = {"rule": miss.rule.pointer, "policy": miss.rule.policy.short, "first": first}
    if second:
        return Sentence(f"{words}, and {{second}}", {**values, "second": second[0]})
    more = len(miss.clauses) - len(shown)
    return Sentence(f"{words} (and {{more}} more clauses fail)" if more else words, {**values, "more": more})


def _clause(clause: Clause, peer: Party) -> Sentence:
    who = str(peer)
    match clause:
        case why.PeerLabelDiffers():
            return _label(clause, who)
        case why.PeerIsNoPod(wanted=wanted, entities=entities):
            return Sentence(
                "it selects pods ({wanted}), and {who} is none (entities {entities} would select it)",
                {"wanted": wanted, "who": who, "entities": entities},
            )
        case why.NobodySelected(field=field):
            return Sentence("its {field} selects nobody", {"field": field or "empty rule"})
        case why.EntityDiffers(entity=entity, had=had):
            return Sentence(
                "it wants entity {entity}, and {who} is {had}", {"entity": entity, "who": who, "had": had or ("none",)}
            )
        case why.CidrMisses(cidr=cidr, address=address):
            return Sentence("{cidr} does not contain {address}", {"cidr": cidr, "address": address or who})
        case why.CidrExcepts(cidr=cidr, excepted=excepted, address=address):
            return Sentence(
                "{cidr} contains {address}, but its except {excepted} carves it out",
                {"cidr": cidr, "address": address or who, "excepted": excepted},
            )
        case why.CidrSparesCluster(cidr=cidr, entities=entities):
            return Sentence(
                "{cidr} is a CIDR, which never selects pods or nodes (entities {entities} would)",
                {"cidr": cidr, "entities": entities},
            )
        case why.CidrGroupMisses(wanted=wanted, address=address):
            return Sentence(
                "no prefix of CIDR group {wanted} contains {address}", {"wanted": wanted, "address": address or who}
            )
        case why.FqdnNotListed(wanted=wanted, names=names):
            return Sentence("it lists the name {wanted}, and this is {names}", {"wanted": wanted, "names": names})
        case why.FqdnNotLearnt(wanted=wanted, address=address, learnt=learnt):
            known = f", which is known as {', '.join(learnt)}" if learnt else ""
            return Sentence(
                "it lists the name {wanted}{known}, and no DNS answer seen by the agent gave {address} for it",
                {"wanted": wanted, "known": known, "address": address or who},
            )
        case why.FqdnSparesCluster(wanted=wanted):
            return Sentence(
                "it lists the name {wanted}; DNS rules select nothing inside the cluster", {"wanted": wanted}
            )
        case why.ServiceMisses(service=service, found=found):
            tail = "which does not mean this peer" if found else "which does not exist"
            return Sentence(f"it names Service {{service}}, {tail}", {"service": service})
        case why.PortDiffers(allowed=allowed, asked=asked):
            return Sentence(
                "it lists port {allowed}, and policy sees {asked} (the pod's port)",
                {"allowed": allowed, "asked": asked},
            )
        case why.ProtocolDiffers(allowed=allowed, asked=asked):
            return Sentence("it lists {allowed}, and this is {asked}", {"allowed": allowed, "asked": asked})
        case why.IcmpNeedsRule(allowed=allowed):
            return Sentence("it lists ports ({allowed}), which never cover ICMP", {"allowed": allowed})
        case why.NamedPortUnresolved(name=name, fault=fault):
            return Sentence("its port name {name} is {fault} here", {"name": name, "fault": str(fault)})
        case why.NoPortListed():
            return Sentence("its port list is empty")
        case why.HttpDiffers(field=field, wanted=wanted, had=had):
            return Sentence(
                "its {field} wants {wanted}, and the request has {had}",
                {"field": field, "wanted": wanted, "had": had or "none"},
            )
        case why.DnsNameDiffers(wanted=wanted, asked=asked):
            return Sentence(
                "it lets names {wanted} pass, and {asked} is none of them", {"wanted": wanted, "asked": asked}
            )
    return Sentence("a clause does not match")


def _label(clause: why.PeerLabelDiffers, who: str) -> Sentence:
    values: dict[str, Value] = {"key": clause.key, "wanted": clause.wanted, "who": who}
    values["had"] = clause.had.value if clause.had else None
    if clause.filtered or clause.dropped is not None:
        return Sentence("it asks for label {key}, which Cilium keeps out of identities", values)
    if clause.implied is Implied.POLICY_NAMESPACE:
        return Sentence("its selector names no namespace, so it means {wanted} only, and {who} is in {had}", values)
    if clause.implied is Implied.LOCAL_CLUSTER:
        return Sentence("its selector means cluster {wanted} only, and {who} is in {had}", values)
    if clause.implied is Implied.ANY_NAMESPACE:
        return Sentence("it means pods, and {who} is none", values)
    if clause.key == NAMESPACE_LABEL and clause.operator is Operator.EQUALS:
        return Sentence("it means namespace {wanted}, and {who} is in {had}", values)
    # A label with its value is one name: it stands as one word wherever values are quoted.
    values["owned"] = f"{clause.key}={clause.had.value}" if clause.had else None
    values["label"] = f"{clause.key}={', '.join(clause.wanted)}"
    has = "{who} has {owned}" if clause.had else "{who} has no label {key}"
    match clause.operator:
        case Operator.EXISTS:
            return Sentence(f"its peer wants a label {{key}}, and {has}", values)
        case Operator.DOES_NOT_EXIST:
            return Sentence(f"its peer must not have {{key}}, and {has}", values)
        case Operator.NOT_IN:
            return Sentence(f"its peer must not have {{key}} of {{wanted}}, and {has}", values)
        case Operator.IN:
            return Sentence(f"its peer wants {{key}} to be one of {{wanted}}, and {has}", values)
    return Sentence(f"its peer wants {{label}}, and {has}", values)
