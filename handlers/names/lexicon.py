"""What words of a sentence do: which end of a flow they mark, what kind of verb they are, or nothing.

One table a language. A word is looked up without case and accents; English verbs are listed by their stem.
"""

import unicodedata
from collections.abc import Iterable, Iterator
from enum import StrEnum
from functools import cache

from handlers.model.endpoint import KUBECTL_SHORT_NAMES


class Cue(StrEnum):
    """What a word does in a sentence about traffic."""

    FROM = "from"
    TO = "to"
    FOR = "for"
    BY = "by"
    AT = "at"
    OF = "of"
    IN = "in"
    AND = "and"
    BETWEEN = "between"
    ARROW = "->"
    LEFT_ARROW = "<-"
    REQUEST = "request"
    """A verb whose subject sends to its object: reach, call."""
    FETCH = "fetch"
    """A verb whose subject sends a request to get something *from* somebody: pull, read."""
    REJECT = "reject"
    """A verb whose subject, where it is an end, is the destination and lets its object in or not: refuse, allow."""
    RESPOND = "respond"
    """A verb whose subject is the destination and answers its object: answer, return."""
    SEVER = "sever"
    """A participle whose subject is the source: cut off."""
    STATE = "state"
    """An adjective that says of a destination how it is for somebody: unreachable, closed."""
    RECEIVE = "receive"
    """A verb whose subject gets something: what it gets decides who began."""
    FAIL = "fail"
    """A verb that both ends can do: time out, hang."""
    SENT = "sent"
    """What a source sends: traffic, requests."""
    ANSWERED = "answered"
    """What comes back: an error, a status, a time-out."""
    PASSIVE = "passive"
    WHO = "who"
    PORT = "port"
    FILLER = "filler"
    WHEN = "when"
    """A time that is no span: yesterday."""
    FLAG = "flag"
    """``-n``: a namespace for all bare names."""
    NAMESPACE = "namespace"
    DROPS = "drops"
    POLICY = "policy"
    COVER = "cover"
    """What policies do to an endpoint: select, apply."""
    ODD = "odd"
    """What is wrong with policies: broken, unused."""
    IDENTITY = "identity"
    CILIUM = "cilium"
    HEALTH = "health"
    LOOK_UP = "look-up"
    MATRIX = "matrix"
    EACH_OTHER = "each other"


ENGLISH_VERBS = {
    Cue.REQUEST: """reach connect talk speak call access contact query ping curl hit dial send resolve poll probe
        communicate telnet ssh need use load join visit find depend egress post upload write log
        push publish forward stream sync""",
    Cue.FETCH: "fetch pull read download scrape retrieve consume import subscribe",
    Cue.REJECT: """reject refuse block deny accept allow drop stop prevent permit admit let filter reset ban forbid
        disallow kill ignore whitelist firewall""",
    Cue.RESPOND: "answer respond reply return serve",
    Cue.RECEIVE: "get receive see hear obtain report show",
    Cue.FAIL: "fail hang time timeout break stall flap die",
    Cue.COVER: "select apply cover match govern target affect",
}
"""Stems; what English adds to them is taken off: reaches, reached, reaching."""

LANGUAGES: dict[str, dict[Cue, str]] = {
    "en": {
        Cue.FROM: "from",
        Cue.TO: "to into towards toward ->",
        Cue.FOR: "for",
        Cue.BY: "by",
        Cue.AT: "on at against with via",
        Cue.OF: "of",
        Cue.IN: "in inside within",
        Cue.AND: "and or nor & plus",
        Cue.BETWEEN: "between among",
        Cue.LEFT_ARROW: "<-",
        Cue.EACH_OTHER: "<->",
        Cue.SEVER: "cut disconnected isolated separated locked",
        Cue.STATE: """unreachable reachable closed open unavailable available inaccessible accessible down up visible
            invisible exposed off dead gone""",
        Cue.SENT: """traffic request requests packet packets connection connections conn conns call calls syn syns
            connectivity probes pings access route routes path""",
        Cue.ANSWERED: """error errors timeout timeouts time-out time-outs answer answers response responses reply
            replies status refused reset resets rst html eof econnrefused etimedout econnreset
            4xx 5xx 404s 403s 500s 502s
            503s 504s unauthorized forbidden""",
        Cue.PASSIVE: "is are was were be been being isn't aren't wasn't weren't isnt arent wasnt gets getting got",
        Cue.WHO: """who whom what which where anyone anybody everyone everybody everything whoever
            anything something somebody someone nobody noone nothing""",
        Cue.PORT: "port ports nodeport targetport :",
        Cue.WHEN: """yesterday today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday midnight
            noon morning evening afternoon week weekend month deploy deployment release upgrade rollout restart""",
        Cue.FLAG: "-n --namespace --ns",
        Cue.NAMESPACE: "namespace ns namespaces",
        Cue.DROPS: "drops dropped dropping drop",
        Cue.POLICY: """policy policies netpol netpols networkpolicy networkpolicies cnp cnps ccnp ccnps
            ciliumnetworkpolicies""",
        Cue.ODD: """broken unused useless wrong typo typos odd redundant shadowed invalid ineffective misspelt mistake
            mistakes lint dead nothing pointless bad misconfigured misconfiguration misconfigurations faulty incorrect
            orphaned conflicting contradictory off""",
        Cue.IDENTITY: "identity identities",
        Cue.CILIUM: """cilium agent agents operator relay hubble cluster cni daemon networking bpf ebpf conntrack map
            maps""",
        Cue.HEALTH: """healthy unhealthy ok okay well ill sick status up down alive fine running health broken degraded
            ready working doing restarting restarts restarted crashing crashlooping crashed crashes full wrong""",
        Cue.LOOK_UP: "dns lookup lookups look-up look-ups nslookup resolution",
        Cue.MATRIX: "matrix reachability",
        Cue.FILLER: """a an the this that these those it its it's i we you he she they them us me my our your their any
            some all every each other no not never nobody none can can't cant cannot could couldn't couldnt does doesn't
            doesnt do don't dont did didn't didnt will won't wont would should may might must has have had hasn't
            haven't able unable why how come when while whether if because as so but then than though please pls plz hey
            hi hello yo thanks thank morning good idea tell know help check verify give list show me let's lets just
            still again anymore longer now also even only too very really seems seem seeming looks look looking like
            appears try trying tried tries want wants wanted keeps keep keeping kept stopped started starts start begin
            began used lost lose losing loses fails be up out through over under about after before during once ago
            there here were yes maybe sometimes always often constantly intermittently suddenly currently already yet
            users user are screaming team prod production pod pods container containers app apps service services
            workload workloads deployment deployments traffic side end issue issues problem problems trouble broken
            weird strange happening happens happen work works working worked does name names replicas replica times
            node nodes network networks logs log says say saying said fixed fix that's what's whats who's who'd whose
            why's where's vs new first last second another own same one two three both neither either arrive arrives
            arriving went go goes going comes security labels label flow flows tcp udp sctp icmp http https grpc
            --fresh - -- and/or i/o k8s kubernetes 24/7 failed to-be cnps having make sure
            coming originating code exit errno healthz right
            great cool nice perfect awesome sorry wow ugh
            else loss losses top most reason reasons runbook wiki docs dashboard metric rate ratio latency
            gateway gateways worry
            according data lack lacks it lately recently earlier completely somehow""",
    },
    "de": {
        Cue.FROM: "von vom seitens",
        Cue.TO: "nach zu zum zur an ans auf aufs gegen mit ins",
        Cue.FOR: "fur",
        Cue.BY: "durch",
        Cue.AT: "bei beim am",
        Cue.OF: "des der",
        Cue.IN: "im in",
        Cue.AND: "und oder",
        Cue.BETWEEN: "zwischen",
        Cue.REQUEST: """erreicht erreichen erreiche kontaktiert kontaktieren aufrufen ruft verbindet verbinden zugreifen
            greift pingt pingen anpingen kommt kommen ansprechen spricht sprechen sendet senden abfragen fragt
            aufgerufen braucht""",
        Cue.REJECT: """lehnt ablehnen abgelehnt blockiert blockieren blockt geblockt verweigert verweigern sperrt
            gesperrt verbietet erlaubt lasst zulassen verwirft weist abgewiesen akzeptiert nimmt""",
        Cue.RESPOND: "antwortet antworten reagiert reagieren liefert",
        Cue.STATE: """erreichbar unerreichbar zu geschlossen offen verfugbar zuganglich dicht""",
        Cue.RECEIVE: "bekommt bekommen kriegt kriegen erhalt erhalten sieht",
        Cue.SENT: "verbindung verbindungen verkehr anfragen anfrage pakete zugriff traffic",
        Cue.ANSWERED: "fehler antwort antworten timeout timeouts fehlermeldung",
        Cue.PASSIVE: "wird werden wurde worden",
        Cue.WHO: "wer was wen welche welcher niemand keiner jemand",
        Cue.PORT: "port ports",
        Cue.WHEN: "gestern heute vorgestern",
        Cue.IDENTITY: "identitat identitaten",
        Cue.HEALTH: "gesund ordnung lauft laufen krank kaputt bereit",
        Cue.DROPS: "verworfen verworfene verworfenen",
        Cue.POLICY: "richtlinien richtlinie",
        Cue.FILLER: """warum wieso weshalb kann konnen nicht kein keine keinen mehr ist sind hat haben seit die das den
            dem ein eine einen ab er sie es tot aus auch noch immer bitte mal uber pod dienst geht weg
            darf durfen kannst konnt wohin hallo moin leute guten tag wir ich uns jemand ihr
            alle alles viele manche gerade mir sagen zeig zeige gibt gab
            verliert verlieren verlor standig bricht""",
    },
    "fr": {
        Cue.FROM: "depuis de du des",
        Cue.TO: "a au aux vers avec",
        Cue.FOR: "pour",
        Cue.BY: "par",
        Cue.AT: "sur",
        Cue.IN: "dans",
        Cue.AND: "et ou ni",
        Cue.BETWEEN: "entre",
        Cue.REQUEST: """joindre atteindre contacter acceder appeler appelle connecter connecte parler communiquer joint
            atteint contacte parle joint interroger""",
        Cue.REJECT: """refuse refuser rejette rejeter bloque bloquer bloquee bloques accepte laisse autorise
            interdit bloquent
            refusee rejete rejetee""",
        Cue.RESPOND: "repond repondre renvoie retourne",
        Cue.STATE: "injoignable joignable inaccessible accessible ferme fermee ouvert ouverte indisponible disponible",
        Cue.RECEIVE: "recoit recevoir obtient voit",
        Cue.SENT: "connexion connexions trafic requetes requete paquets acces",
        Cue.ANSWERED: "erreur erreurs reponse reponses timeout timeouts",
        Cue.PASSIVE: "est sont ete etre etait",
        Cue.WHO: "qui quoi que quel quelle quelles quels personne quelqu'un",
        Cue.PORT: "port ports",
        Cue.WHEN: "hier aujourd'hui",
        Cue.IDENTITY: "identite identites",
        Cue.HEALTH: "sain saine sante malade",
        Cue.POLICY: "politiques politique regles",
        Cue.FILLER: """pourquoi ne n pas plus peut peuvent arrive le la les un une il elle on ce l d s se est-ce bonjour
            encore toujours y pod service jamais aucune aucun entrer passer sortir sort perd perdu
            perdent""",
    },
    "es": {
        Cue.FROM: "desde de del",
        Cue.TO: "a al hacia con hasta",
        Cue.FOR: "para",
        Cue.BY: "por",
        Cue.AT: "en",
        Cue.AND: "y o ni e",
        Cue.BETWEEN: "entre",
        Cue.REQUEST: """alcanzar alcanza conectar conecta conectarse acceder accede llegar llega llamar llama contactar
            contacta hablar habla comunicarse comunica""",
        Cue.REJECT: """deja dejar dejan rechaza rechazar rechazado bloquea bloquear bloqueado bloqueada deniega
            niega permite acepta
            bloqueando denegado""",
        Cue.RESPOND: "responde responder contesta devuelve",
        Cue.STATE: "inaccesible accesible inalcanzable alcanzable cerrado abierto disponible",
        Cue.RECEIVE: "recibe recibir obtiene ve",
        Cue.SENT: "conexion conexiones trafico peticiones paquetes acceso",
        Cue.ANSWERED: "error errores respuesta respuestas timeout timeouts",
        Cue.PASSIVE: "es esta son estan siendo fue sido",
        Cue.WHO: "quien quienes que cual cuales donde nadie alguien",
        Cue.PORT: "puerto puertos",
        Cue.WHEN: "ayer hoy",
        Cue.IDENTITY: "identidad identidades",
        Cue.HEALTH: "sano sana salud enfermo",
        Cue.POLICY: "politicas politica reglas",
        Cue.FILLER: """no puede pueden se la el los las un una su mas ya hola tampoco hace tiene tienen entrar
            salir sale pierde pierden perdio ningun ninguna nunca pod""",
    },
}

_SUFFIXES = ("ing", "ed", "es", "s", "d")


def plain_form(word: str) -> str:
    """Return a word as the tables hold it: lower case, without accents and what an elision leaves before it."""
    decomposed = unicodedata.normalize("NFKD", word.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char)).replace("ø", "o")


@cache
def _table(language: str) -> dict[str, frozenset[Cue]]:
    table: dict[str, set[Cue]] = {}
    for cue, words in LANGUAGES[language].items():
        for word in words.split():
            table.setdefault(word, set()).add(cue)
    if language == "en":
        for kind in KUBECTL_SHORT_NAMES:
            if len(kind) > 2:
                table.setdefault(kind, set()).add(Cue.FILLER)
    return {word: frozenset(cues) for word, cues in table.items()}


@cache
def _verbs() -> dict[str, Cue]:
    return {stem: cue for cue, stems in ENGLISH_VERBS.items() for stem in stems.split()}


def language_of(words: Iterable[str]) -> str:
    """Return the language whose words occur most; English where none does, or as many."""
    known = [plain_form(word) for word in words]
    counts = {name: sum(_looked_up(word, name) != frozenset() for word in known) for name in LANGUAGES}
    return max(counts, key=lambda name: (counts[name], name == "en"))


def cues_of(word: str, language: str) -> frozenset[Cue]:
    """Return what a word does in the language, and where it does nothing there, in English; empty for no known word."""
    form = plain_form(word)
    return _looked_up(form, language) or _looked_up(form, "en")


def is_known(word: str) -> bool:
    """Whether the word means something in some language, so that it is hardly a name."""
    form = plain_form(word)
    return any(_looked_up(form, language) for language in LANGUAGES)


def does_something(word: str) -> bool:
    """Whether the word relates others in English: a preposition, an adjective, a time; no verb, which may be a name."""
    return bool(_table("en").get(plain_form(word), frozenset()) - {Cue.FILLER, Cue.CILIUM, Cue.HEALTH})


def is_participle(word: str) -> bool:
    """Whether an English verb stands in a form that a passive has."""
    form = plain_form(word)
    return form.endswith("ed") or form in ("cut", "let", "hit", "sent", "read", "seen", "kept", "found")


@cache
def _looked_up(form: str, language: str) -> frozenset[Cue]:
    found = _table(language).get(form, frozenset())
    if language == "en":
        found |= {_verbs()[stem] for stem in _stems(form) if stem in _verbs()}
    elif not found and "'" in form:
        found = _table(language).get(form.partition("'")[2], frozenset())
    return found


def _stems(form: str) -> Iterator[str]:
    yield form
    for suffix in _SUFFIXES:
        if form.endswith(suffix) and len(form) > len(suffix) + 2:
            stem = form.removesuffix(suffix)
            yield from (stem, stem + "e")
            if len(stem) > 3 and stem[-1] == stem[-2]:
                yield stem[:-1]
            if stem.endswith("i"):
                yield stem[:-1] + "y"
