"""Sentences with what people on call write around them, and those that ask other commands; as in ``sentences``."""

IN_NOISE = {
    "greeting": (
        "morning all, can anyone tell me why shop/loadgen cannot open a connection to shop/redis on 6379?",
        "why shop/loadgen shop/redis 6379",
    ),
    "ticket": ("INC-4711: web/nginx -> api/orders 5432 down", "why web/nginx api/orders 5432"),
    "severity": ("[P1] web/nginx cannot reach api/orders, 100% errors", "why web/nginx api/orders"),
    "somebody": ("@oncall pls: web/nginx can't get to api/orders on tcp/8080", "why web/nginx api/orders 8080/TCP"),
    "percentage": ("about 30% of requests from web/nginx to api/orders fail", "why web/nginx api/orders"),
    "of": ("about every third request of web/nginx to api/orders gets lost", "why web/nginx api/orders"),
    "versions": ("api/orders v2.3.1 cannot call api/catalog v1.9.0", "why api/orders api/catalog"),
    "after an upgrade": (
        "after the node upgrade api/orders lost connectivity to kube-dns.kube-system on 53/udp",
        "why api/orders kube-dns.kube-system 53/UDP",
    ),
    "some of many": ("3 of 12 pods of web/nginx cannot reach api/orders on 8080", "why web/nginx api/orders 8080"),
    "a count behind": (
        "the 4 pods of web/nginx time out on api/orders 2 times per minute",
        "why web/nginx api/orders",
    ),
    "a latency is no direction": ("latency between web/nginx and api/orders went from 20ms to 5s", "ask:"),
    "log line": (
        "2026-11-21T14:05:33Z ERROR api/orders dial tcp 10.96.5.6:6379: connect: connection refused",
        "why api/orders 10.96.5.6 6379/TCP",
    ),
    "an event is no look-back": (
        "api/orders can't reach db/postgres since the rollout",
        "ask: why api/orders db/postgres",
    ),
    "all of a namespace is no place for the other end": ("can anything in monitoring reach payments?", "no: question"),
    "a time of day without now": ("drops shop since 14:05", "no: 14:05"),
}

PASTED = {
    "on": ("dial tcp 10.96.36.130:8080: i/o timeout on shop/loadgen", "why shop/loadgen 10.96.36.130 8080/TCP"),
    "Java": (
        "java.net.ConnectException: Connection refused: pg.db/10.96.3.4:5432, thrown in api/orders",
        "why api/orders pg.db 5432/TCP",
    ),
    "psql": (
        'psql: error: connection to server at "pg.db" (10.96.3.4), port 5432 failed: timeout expired - from api/orders',
        "why api/orders pg.db 5432/TCP",
    ),
    "redis-py": (
        "redis.exceptions.ConnectionError: Error 110 connecting to redis.shop:6379. Connection timed out. (shop/cart)",
        "why shop/cart redis.shop 6379/TCP",
    ),
    "a server's socket": (
        "write tcp 10.0.0.9:8080->10.0.0.1:40000: write: broken pipe",
        "why 10.0.0.1 10.0.0.9 8080/TCP",
    ),
    "a client's socket and its name": (
        "shop/a: read tcp 10.0.0.9:40000->10.0.0.1:8080: read: connection reset by peer",
        "why shop/a 10.0.0.1 8080/TCP",
    ),
    "requests": (
        "requests.exceptions.ConnectTimeout: HTTPConnectionPool(host='catalog.shop', port=80): retries in web/nginx",
        "why web/nginx catalog.shop 80/TCP",
    ),
    "Envoy": (
        "upstream connect error or disconnect/reset before headers: web/nginx calling api/orders",
        "why web/nginx api/orders",
    ),
    "ssh": (
        "ssh: connect to host 10.90.0.1 port 22: Connection timed out (shop/loadgen)",
        "why shop/loadgen 10.90.0.1 22/TCP",
    ),
}

ORDER = {
    "German question": ("warum kommt shop/loadgen nicht auf shop/cart?", "why shop/loadgen shop/cart"),
    "German receiver": ("gerade bekommt web/nginx Timeouts von api/orders", "why web/nginx api/orders"),
    "German internet": ("darf web/nginx ins Internet?", "why web/nginx world"),
    "German from the internet": ("kommt man aus dem Internet auf web/nginx?", "why world web/nginx"),
    "French internet": ("web/nginx ne peut pas sortir vers internet", "why web/nginx world"),
    "served by": ("web/nginx cannot be served by api/orders", "why web/nginx api/orders"),
    "on its way": ("is anything blocking web/nginx on its way to api/orders?", "why web/nginx api/orders"),
    "open a TCP connection": (
        "api/orders can not open a TCP connection towards db/postgres:5432",
        "why api/orders db/postgres 5432/TCP",
    ),
    "backward arrow with a port": ("api/orders <- web/nginx 8080 times out", "why web/nginx api/orders 8080"),
    "node port of a bare node": (
        "the internet can't reach nodePort 30080 on lab-node-1",
        "why world node/lab-node-1 30080",
    ),
    "French reflexive": ("auth/login se voit refuser l'accès à db/users", "why auth/login db/users"),
    "remote nodes": ("remote nodes can't reach auth/login", "why remote-node auth/login"),
    "two requests": (
        "auth/login to db/users: works for GET /health but POST /users is 403 on 8081",
        "ask: why auth/login db/users 8081 http GET /health | why auth/login db/users 8081 http POST /users",
    ),
    "a reply goes back": (
        "the reply from db/postgres to api/orders is dropped",
        "ask: why api/orders db/postgres | why db/postgres api/orders",
    ),
    "both directions": (
        "db/postgres → api/orders works, the other direction doesn't",
        "ask: why api/orders db/postgres | why db/postgres api/orders",
    ),
    "either closes": (
        "shop/cart closed the connection on web/nginx",
        "ask: why web/nginx shop/cart | why shop/cart web/nginx",
    ),
    "an unknown verb": ("compare db/postgres with db/redis", "ask:"),
    "away from": ("does any policy keep api/orders away from db/postgres?", "why api/orders db/postgres"),
    "French loses": ("api/orders perd la connexion avec db/postgres", "why api/orders db/postgres"),
    "three ends": (
        "from web/nginx I can reach api/orders but not db/postgres",
        "ask: why web/nginx api/orders | why web/nginx db/postgres",
    ),
}

OTHER_COMMANDS = {
    "what changed": ("what changed in shop in the last 2 hours?", "changes shop since 2h"),
    "audit mode": ("is anything in shop in audit mode?", "audit shop"),
    "who changed": ("who changed something in payments?", "changes payments"),
    "L7 policy": ("is the l7 policy shop/catalog-l7 working?", "l7 shop/catalog-l7"),
    "HTTP rules": ("do the http rules of shop/catalog-l7 apply?", "l7 shop/catalog-l7"),
    "egress gateway": (
        "through which egress gateway does payments/fraud-worker reach 198.19.50.7?",
        "egress payments/fraud-worker 198.19.50.7",
    ),
    "source address": (
        "with which source ip is payments/fraud-worker seen by 198.19.50.7?",
        "egress payments/fraud-worker 198.19.50.7",
    ),
    "misconfigured": ("any misconfigured policies in shop?", "lint shop"),
    "denied": ("what got denied in payments over the past 30 min", "drops payments since 30m"),
    "drop reasons": ("top drop reasons in shop", "drops shop"),
    "packet loss": ("packet loss in namespace web, any drops?", "drops web"),
    "where to": ("where can shop/cart go?", "reach shop/cart to"),
    "German who": ("wer darf auf payments/ledger-db zugreifen?", "reach payments/ledger-db from"),
    "French what": ("que peut joindre web/nginx ?", "reach web/nginx to"),
    "node": ("anything wrong with lab-node-1?", "health lab-node-1"),
    "agents that end, whose is not said": ("is cilium crashing?", "health"),
    "any agent": ("did an agent restart?", "health"),
    "an agent that ends": ("why does the agent on lab-node-2 keep restarting?", "agent lab-node-2"),
    "killed": ("cilium was oomkilled on worker-3", "agent worker-3"),
    "agent": ("is the agent on lab-node-2 restarting?", "agent lab-node-2"),
    "map": ("is the conntrack map full on worker-3?", "maps worker-3"),
    "maps of all": ("how full are the bpf maps?", "maps"),
    "map pressure": ("show me map pressure please", "maps"),
    "nodes that reach each other": ("do the nodes reach each other?", "nodes"),
    "nodes ready": ("are all nodes ready?", "nodes"),
    "everything": ("something feels off with networking, is everything healthy?", "health"),
    "a workload is no node": ("is checkout-api healthy?", "ask: health"),
    "German health": ("ist der Agent auf lab-node-1 in Ordnung?", "health lab-node-1"),
    "Spanish health": ("¿está sano cilium?", "health"),
    "large identity": ("who is 16777217", "identity 16777217"),
    "contract": (
        "ensure world never reaches payments/ledger-db on 5432",
        "ask: check deny world to payments/ledger-db 5432 | why world payments/ledger-db 5432",
    ),
    "demand": (
        "make sure that web/nginx can reach api/orders",
        "ask: check allow web/nginx to api/orders | why web/nginx api/orders",
    ),
    "deletion without a kind": (
        "what happens if I delete the policy cart-ingress in shop?",
        "ask: whatif delete cnp/shop/cart-ingress | whatif delete netpol/shop/cart-ingress",
    ),
    "deletion in the passive": (
        "should we worry if netpol/shop/default-deny is deleted?",
        "whatif delete netpol/shop/default-deny",
    ),
    "policies to apply": ("what would break if I apply this policy?", "no: Give me the policies"),
    "a polite command": ("please lint accounts", "lint accounts"),
    "access to": ("what does auth/login have access to?", "reach auth/login to"),
    "a version is no health": ("which Cilium version is running?", "no:"),
    "drops for and from": ("drops for web/nginx from api/orders", "ask:"),
    "increasing": ("are drops increasing on worker-2", "ask: drops worker-2"),
    "the API server": ("who can reach the API server?", "reach kube-apiserver from"),
    "everybody": ("can everybody reach shop/redis?", "reach shop/redis from"),
    "a number before identity": ("is 52311 a valid identity?", "identity 52311"),
    "without effect": ("policies with no effect?", "lint"),
    "no namespace": ("can you explain NetworkPolicy to me?", "ask: policies explain"),
    "flows": ("show me flows between web/nginx and api/orders", "ask:"),
    "changes": ("what changed in shop since 14:00?", "no:"),
    "talkers": ("top talkers in shop", "talkers shop"),
    "who talks most": ("who talks most in payments?", "talkers payments"),
    "flows of one end": ("show me the flows of shop", "flows shop"),
    "flows by their fate": ("show me dropped flows in shop", "flows shop dropped"),
    "flows by protocol": ("recent dns flows of shop/cart", "flows shop/cart dns"),
    "flows as they come": ("tail dropped flows in shop", "flows shop dropped follow 1m"),
    "flows between two": (
        "show tcp flows from web/nginx to api/orders on port 80",
        "flows web/nginx api/orders tcp port 80",
    ),
    "config": ("config of the agent on worker-3", "no:"),
    "something of an end": ("where is the runbook for redis?", "no:"),
}
