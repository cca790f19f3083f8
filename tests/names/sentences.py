"""Sentences as people on call write them, and what each of them asks.

What is expected is a question in normal form; ``ask: A | B`` where the asker has to choose, the readings that must be
offered; ``no: WORD`` where the words make no question, and the word that the refusal must name (none after ``no:``
alone where no single word is at fault).
"""

ACTIVE = {
    "can reach": ("can shop/loadgen reach shop/cart on 8080?", "why shop/loadgen shop/cart 8080"),
    "cannot reach": ("shop/loadgen can't reach shop/cart", "why shop/loadgen shop/cart"),
    "cant without apostrophe": ("shop/loadgen cant connect to shop/cart:8080", "why shop/loadgen shop/cart 8080"),
    "why does not": (
        "why doesn't shop/checkout talk to payments/ledger on port 9000",
        "why shop/checkout payments/ledger 9000",
    ),
    "times out connecting": (
        "shop/loadgen times out connecting to shop/cart on tcp 8080",
        "why shop/loadgen shop/cart 8080/TCP",
    ),
    "is failing to call": (
        "checkout-api in payments is failing to call ledger-db in payments on 5432",
        "why payments/checkout-api payments/ledger-db 5432",
    ),
    "no access": ("payments/checkout has no access to payments/ledger", "why payments/checkout payments/ledger"),
    "has no route": ("shop/loadgen has no route to 10.0.0.17", "why shop/loadgen 10.0.0.17"),
    "from to": ("connections from shop/loadgen to shop/cart hang", "why shop/loadgen shop/cart"),
    "to from": (
        "is traffic to shop/cart from shop/loadgen allowed on 8080/tcp?",
        "why shop/loadgen shop/cart 8080/TCP",
    ),
    "timeouts": ("seeing timeouts from shop/loadgen to shop/cart since 1h", "why shop/loadgen shop/cart since 1h"),
    "possessive": ("shop/loadgen's requests to shop/cart are timing out", "why shop/loadgen shop/cart"),
    "packets never arrive": ("packets from shop/loadgen never arrive at shop/cart", "why shop/loadgen shop/cart"),
    "is allowed to": (
        "is monitoring/prometheus allowed to scrape shop/cart on port 9090?",
        "why monitoring/prometheus shop/cart 9090",
    ),
    "scrape": ("prometheus can't scrape shop/cart on 9090", "why prometheus shop/cart 9090"),
    "pull from": ("shop/worker can't pull from registry.example.com:443", "why shop/worker registry.example.com 443"),
    "ping": ("can shop/loadgen ping shop/cart?", "why shop/loadgen shop/cart icmp"),
    "what stops from reaching": (
        "what stops shop/loadgen from reaching shop/cart on 8080?",
        "why shop/loadgen shop/cart 8080",
    ),
    "what keeps from talking": (
        "what is keeping shop/loadgen from talking to shop/redis on 6379",
        "why shop/loadgen shop/redis 6379",
    ),
    "which policy blocks traffic": (
        "which policy blocks traffic from shop/loadgen to shop/cart?",
        "why shop/loadgen shop/cart",
    ),
    "arrow broken": ("shop/loadgen -> shop/cart broken again", "why shop/loadgen shop/cart"),
    "arrow with port": ("shop/loadgen → shop/cart:8080 ???", "why shop/loadgen shop/cart 8080"),
    "fat arrow": ("shop/loadgen => shop/cart 8080/tcp", "why shop/loadgen shop/cart 8080/TCP"),
    "udp": ("shop/app cannot send to monitoring/statsd on udp 9125", "why shop/app monitoring/statsd 9125/UDP"),
    "udp behind": (
        "metrics from shop/app to monitoring/statsd 9125/udp vanish",
        "why shop/app monitoring/statsd 9125/UDP",
    ),
    "internet egress": ("can payments/checkout get to the internet on 443?", "why payments/checkout world 443"),
    "from the internet": ("is shop/frontend reachable from the internet on 443?", "why world shop/frontend 443"),
    "api server": ("shop/operator can't talk to the API server", "why shop/operator kube-apiserver"),
    "kubernetes api": (
        "kube-system/coredns cannot reach the kubernetes api on 6443",
        "why kube-system/coredns kube-apiserver 6443",
    ),
    "node as a word": ("can node lab-node-1 reach shop/cart on 8080?", "why node/lab-node-1 shop/cart 8080"),
    "external name": ("payments/checkout can't reach api.stripe.com anymore", "why payments/checkout api.stripe.com"),
    "url": ("shop/frontend fails to load https://api.stripe.com/v1/charges", "why shop/frontend api.stripe.com 443"),
    "http request": (
        "can shop/loadgen do http GET /api/items on shop/cart port 8080",
        "why shop/loadgen shop/cart 8080 http GET /api/items",
    ),
    "depends on": (
        "shop/checkout needs payments/ledger on 9000, does that work?",
        "why shop/checkout payments/ledger 9000",
    ),
    "subordinate": ("could you tell me whether shop/loadgen can get to shop/cart?", "why shop/loadgen shop/cart"),
    "greeting": (
        "hey, any idea why shop/loadgen can't reach shop/cart? users are screaming",
        "why shop/loadgen shop/cart",
    ),
    "used to": ("shop/loadgen used to reach shop/cart on 8080 but not anymore", "why shop/loadgen shop/cart 8080"),
    "bare positional": ("shop/loadgen shop/cart 8080", "why shop/loadgen shop/cart 8080"),
    "trying to": ("we are trying to connect from shop/loadgen to shop/cart and it hangs", "why shop/loadgen shop/cart"),
    "lost connection": ("shop/cart lost its connection to shop/redis", "why shop/cart shop/redis"),
    "when calling": ("shop/loadgen gets 503 when calling shop/cart", "why shop/loadgen shop/cart"),
    "timeouts on": ("shop/loadgen gets timeouts on shop/cart:8080", "why shop/loadgen shop/cart 8080"),
    "traffic dropped from to": (
        "traffic from shop/loadgen to shop/cart on 8080 is being dropped",
        "why shop/loadgen shop/cart 8080",
    ),
    "address pair": ("10.244.1.18 cannot reach 10.244.0.93 on 8080", "why 10.244.1.18 10.244.0.93 8080"),
}

TURNED = {
    "unreachable for": ("shop/cart is unreachable for shop/loadgen", "why shop/loadgen shop/cart"),
    "unreachable from": ("shop/cart is unreachable from shop/loadgen on 8080", "why shop/loadgen shop/cart 8080"),
    "not reachable by": ("shop/cart isn't reachable by shop/loadgen", "why shop/loadgen shop/cart"),
    "rejects": ("shop/cart rejects shop/loadgen", "why shop/loadgen shop/cart"),
    "refuses connections from": ("shop/cart refuses connections from shop/loadgen", "why shop/loadgen shop/cart"),
    "does not accept": (
        "shop/cart doesn't accept connections from shop/loadgen on 8080",
        "why shop/loadgen shop/cart 8080",
    ),
    "left arrow": ("shop/cart <- shop/loadgen", "why shop/loadgen shop/cart"),
    "left arrow with port": ("shop/cart:8080 <- shop/loadgen times out", "why shop/loadgen shop/cart 8080"),
    "port closed for": ("port 8080 of shop/cart is closed for shop/loadgen", "why shop/loadgen shop/cart 8080"),
    "gets a status from": ("shop/loadgen gets 503 from shop/cart", "why shop/loadgen shop/cart"),
    "gets an error from": (
        "shop/loadgen keeps getting connection refused from shop/cart",
        "why shop/loadgen shop/cart",
    ),
    "gets no answer from": (
        "shop/loadgen gets no answer from shop/cart on port 8080",
        "why shop/loadgen shop/cart 8080",
    ),
    "receives no traffic from": ("shop/cart receives no traffic from shop/loadgen", "why shop/loadgen shop/cart"),
    "sees no requests from": ("shop/cart sees no requests from shop/loadgen", "why shop/loadgen shop/cart"),
    "who blocks for": ("who blocks shop/cart for shop/loadgen?", "why shop/loadgen shop/cart"),
    "what blocks for": ("what is blocking port 6379 on shop/redis for shop/cart", "why shop/cart shop/redis 6379"),
    "cannot be reached from": ("why can shop/cart not be reached from shop/loadgen?", "why shop/loadgen shop/cart"),
    "cannot be reached by": ("shop/cart can't be reached by shop/loadgen", "why shop/loadgen shop/cart"),
    "called by": ("can payments/ledger be called by shop/checkout on 9000", "why shop/checkout payments/ledger 9000"),
    "scraped by": ("shop/cart is not scraped by monitoring/prometheus", "why monitoring/prometheus shop/cart"),
    "rejected by": ("shop/loadgen is rejected by shop/cart", "why shop/loadgen shop/cart"),
    "blocked by": ("is shop/loadgen blocked by shop/cart?", "why shop/loadgen shop/cart"),
    "does not answer": ("shop/cart doesn't answer shop/loadgen", "why shop/loadgen shop/cart"),
    "does not respond to": ("shop/cart does not respond to shop/loadgen on 8080", "why shop/loadgen shop/cart 8080"),
    "returns to": ("shop/cart returns 403 to shop/loadgen", "why shop/loadgen shop/cart"),
    "from first": ("from shop/loadgen, shop/cart is down", "why shop/loadgen shop/cart"),
    "for first": ("for shop/loadgen port 8080 of shop/cart looks closed", "why shop/loadgen shop/cart 8080"),
    "accessible to": (
        "is payments/ledger accessible to shop/checkout on 9000?",
        "why shop/checkout payments/ledger 9000",
    ),
    "open for": (
        "is 5432 on payments/ledger-db open for payments/checkout-api?",
        "why payments/checkout-api payments/ledger-db 5432",
    ),
    "exposed to": ("is shop/cart exposed to the internet?", "why world shop/cart"),
    "lets in": ("does shop/cart let shop/loadgen in?", "why shop/loadgen shop/cart"),
    "denies access": ("shop/cart denies access to shop/loadgen", "why shop/loadgen shop/cart"),
    "drops packets of": ("shop/cart drops packets from shop/loadgen", "why shop/loadgen shop/cart"),
    "resets": ("shop/cart resets connections from shop/loadgen", "why shop/loadgen shop/cart"),
    "times out for": ("api.stripe.com times out for payments/checkout", "why payments/checkout api.stripe.com"),
    "times out from": (
        "api.stripe.com:443 times out from payments/checkout",
        "why payments/checkout api.stripe.com 443",
    ),
    "denied access to": ("shop/loadgen is denied access to shop/cart", "why shop/loadgen shop/cart"),
    "connection refused by": ("connection from shop/loadgen refused by shop/cart", "why shop/loadgen shop/cart"),
    "whose traffic": ("shop/cart is not getting any traffic from shop/loadgen", "why shop/loadgen shop/cart"),
    "cut off from": ("shop/loadgen is cut off from shop/cart", "why shop/loadgen shop/cart"),
    "allow": ("does payments/ledger allow shop/checkout?", "why shop/checkout payments/ledger"),
    "unavailable": ("shop/redis unavailable for shop/cart on 6379", "why shop/cart shop/redis 6379"),
    "reads nothing from": ("shop/cart can't read from shop/redis:6379", "why shop/cart shop/redis 6379"),
    "destination first": ("shop/cart: no connection from shop/loadgen", "why shop/loadgen shop/cart"),
}

GERMAN = {
    "erreicht nicht": ("shop/loadgen erreicht shop/cart nicht", "why shop/loadgen shop/cart"),
    "warum erreichen": ("warum kann shop/loadgen shop/cart nicht erreichen?", "why shop/loadgen shop/cart"),
    "warum erreicht": ("Warum erreicht shop/loadgen shop/cart nicht auf Port 8080?", "why shop/loadgen shop/cart 8080"),
    "nicht erreichbar für": ("shop/cart ist für shop/loadgen nicht erreichbar", "why shop/loadgen shop/cart"),
    "von aus": ("von shop/loadgen aus ist shop/cart nicht erreichbar", "why shop/loadgen shop/cart"),
    "kommt nicht auf": ("shop/loadgen kommt nicht auf shop/cart:8080", "why shop/loadgen shop/cart 8080"),
    "lehnt ab": ("shop/cart lehnt shop/loadgen ab", "why shop/loadgen shop/cart"),
    "bekommt von": ("shop/loadgen bekommt 503 von shop/cart", "why shop/loadgen shop/cart"),
    "wird blockiert von": ("shop/loadgen wird von shop/cart blockiert", "why shop/loadgen shop/cart"),
    "wer blockiert": ("wer blockiert shop/cart für shop/loadgen?", "why shop/loadgen shop/cart"),
    "antwortet nicht": ("shop/cart antwortet shop/loadgen nicht", "why shop/loadgen shop/cart"),
    "verbindung von nach": (
        "Verbindung von shop/loadgen nach shop/cart seit 2 Stunden tot",
        "why shop/loadgen shop/cart since 2h",
    ),
    "zugriff": ("shop/checkout hat keinen Zugriff auf payments/ledger", "why shop/checkout payments/ledger"),
}

FRENCH = {
    "ne peut pas joindre": ("shop/loadgen ne peut pas joindre shop/cart", "why shop/loadgen shop/cart"),
    "n'arrive pas": (
        "pourquoi shop/loadgen n'arrive pas à joindre shop/cart sur le port 8080 ?",
        "why shop/loadgen shop/cart 8080",
    ),
    "injoignable depuis": ("shop/cart est injoignable depuis shop/loadgen", "why shop/loadgen shop/cart"),
    "inaccessible pour": ("shop/cart est inaccessible pour shop/loadgen", "why shop/loadgen shop/cart"),
    "refuse les connexions": ("shop/cart refuse les connexions de shop/loadgen", "why shop/loadgen shop/cart"),
    "rejette": ("pourquoi shop/cart rejette shop/loadgen ?", "why shop/loadgen shop/cart"),
    "bloqué par": ("shop/loadgen est bloqué par shop/cart", "why shop/loadgen shop/cart"),
    "reçoit": ("shop/loadgen reçoit des 503 de shop/cart", "why shop/loadgen shop/cart"),
    "qui bloque": ("qui bloque shop/cart pour shop/loadgen ?", "why shop/loadgen shop/cart"),
}

SPANISH = {
    "no puede conectar": ("¿por qué shop/loadgen no puede conectar con shop/cart?", "why shop/loadgen shop/cart"),
    "no llega": ("shop/loadgen no llega a shop/cart en el puerto 8080", "why shop/loadgen shop/cart 8080"),
    "inaccesible desde": ("shop/cart es inaccesible desde shop/loadgen", "why shop/loadgen shop/cart"),
    "rechaza": ("shop/cart rechaza a shop/loadgen", "why shop/loadgen shop/cart"),
    "no responde": ("shop/cart no responde a shop/loadgen", "why shop/loadgen shop/cart"),
    "recibe": ("shop/loadgen recibe 503 de shop/cart", "why shop/loadgen shop/cart"),
    "quién bloquea": ("¿quién bloquea shop/cart para shop/loadgen?", "why shop/loadgen shop/cart"),
    "bloqueado por": ("shop/loadgen está bloqueado por shop/cart", "why shop/loadgen shop/cart"),
}

NAMES = {
    "in namespace behind": ("loadgen in shop can't reach cart in shop on 8080", "why shop/loadgen shop/cart 8080"),
    "in the namespace": (
        "why can't loadgen in the shop namespace reach redis in the shop namespace",
        "why shop/loadgen shop/redis",
    ),
    "in namespace first": ("in namespace shop, loadgen cannot reach cart", "why shop/loadgen shop/cart"),
    "flag": ("why loadgen cart 8080 -n shop", "why shop/loadgen shop/cart 8080"),
    "long flag": ("why --namespace shop loadgen cart", "why shop/loadgen shop/cart"),
    "flag in a sentence": ("can loadgen reach cart -n shop?", "why shop/loadgen shop/cart"),
    "dns name with port": ("can shop/loadgen reach cart.shop:8080?", "why shop/loadgen cart.shop 8080"),
    "dns names": ("loadgen.shop can't reach redis.shop on 6379", "why loadgen.shop redis.shop 6379"),
    "full dns name": (
        "shop/loadgen can't reach cart.shop.svc.cluster.local:8080",
        "why shop/loadgen cart.shop.svc.cluster.local 8080",
    ),
    "bare workloads": ("loadgen can't reach cart on 8080", "why loadgen cart 8080"),
    "bare turned": ("cart is unreachable for loadgen", "why loadgen cart"),
    "bare and qualified": ("can checkout-api talk to payments/ledger-db?", "why checkout-api payments/ledger-db"),
    "the pod": ("the pod loadgen-7d9f-abcde can't talk to the service cart on 80", "why loadgen-7d9f-abcde cart 80"),
    "kinds": ("deployment shop/loadgen cannot reach service shop/cart", "why shop/deploy/loadgen shop/svc/cart"),
    "bare node": ("lab-node-1 can't reach shop/cart on 8080", "why lab-node-1 shop/cart 8080"),
    "go error": ("shop/loadgen logs: dial tcp 10.0.0.1:8080: i/o timeout", "why shop/loadgen 10.0.0.1 8080/TCP"),
    "go error with url": (
        'shop/frontend: Get "http://cart.shop:8080/api": dial tcp 10.96.0.5:8080: connect: connection refused',
        "why shop/frontend cart.shop 8080/TCP",
    ),
    "go look-up error": (
        "shop/frontend says dial tcp: lookup api.stripe.com on 10.96.0.10:53: no such host",
        "why shop/frontend api.stripe.com",
    ),
    "go read error": (
        "read tcp 10.0.1.5:43210->10.0.2.7:8080: read: connection reset by peer",
        "why 10.0.1.5 10.0.2.7 8080/TCP",
    ),
    "curl 28": (
        "from shop/loadgen: curl: (28) Failed to connect to cart.shop port 8080 after 5001 ms: Timeout was reached",
        "why shop/loadgen cart.shop 8080/TCP",
    ),
    "curl 7": (
        "shop/loadgen gets curl: (7) Failed to connect to cart.shop port 80: Connection refused",
        "why shop/loadgen cart.shop 80/TCP",
    ),
    "curl 6": ("shop/loadgen curl: (6) Could not resolve host: api.stripe.com", "why shop/loadgen api.stripe.com"),
    "postgres": (
        'payments/checkout: connection to server at "ledger-db.payments" (10.0.0.9), port 5432 failed: timed out',
        "why payments/checkout ledger-db.payments 5432/TCP",
    ),
    "node error": ("shop/frontend: Error: connect ECONNREFUSED 10.0.0.4:3000", "why shop/frontend 10.0.0.4 3000/TCP"),
    "python error": (
        "shop/frontend: HTTPConnectionPool(host='cart.shop', port=8080): Max retries exceeded with url: /api",
        "why shop/frontend cart.shop 8080/TCP",
    ),
    "an error without a client": ("dial tcp 10.0.0.1:8080: i/o timeout", "no:"),
}

PORTS = {
    "a status is no port": ("why does shop/loadgen get 403 from shop/cart", "why shop/loadgen shop/cart"),
    "replicas are no port": ("shop/loadgen with 5 replicas can't reach shop/cart", "why shop/loadgen shop/cart"),
    "times are no port": ("tried 3 times, shop/loadgen can't reach shop/cart", "why shop/loadgen shop/cart"),
    "hours": ("shop/loadgen can't reach shop/cart for 2 hours now", "why shop/loadgen shop/cart since 2h"),
    "ago": (
        "20 minutes ago shop/loadgen stopped reaching shop/cart on 8080",
        "why shop/loadgen shop/cart 8080 since 20m",
    ),
    "a time limit": ("shop/loadgen to shop/cart fails after 30s", "why shop/loadgen shop/cart"),
    "last hour": ("has shop/loadgen reached shop/cart in the last hour?", "why shop/loadgen shop/cart since 1h"),
    "two ports": (
        "can shop/loadgen reach shop/cart on 8080 and 9090?",
        "ask: why shop/loadgen shop/cart 8080 | why shop/loadgen shop/cart 9090",
    ),
    "letter for a digit": ("why shop/loadgen shop/cart 808O", "no: 808O"),
    "letter in a sentence": ("can shop/loadgen reach shop/cart on 808O?", "no: 808O"),
    "protocol misspelt": ("why shop/loadgen shop/cart 8080/tpc", "no: 8080/tpc"),
    "too large": ("why shop/loadgen shop/cart 99999", "no: 99999"),
    "too large in a sentence": ("can shop/loadgen reach shop/cart on port 99999", "no: 99999"),
    "nought": ("why shop/loadgen shop/cart 0", "no: 0"),
    "two ports in a command": ("why shop/loadgen shop/cart 8080 9090", "no: 9090"),
    "path before method": ("why shop/loadgen shop/cart http /x GET", "no: /x"),
    "since yesterday": ("why shop/loadgen shop/cart since yesterday", "no: yesterday"),
    "yesterday in a sentence": ("shop/loadgen can't reach shop/cart since yesterday", "no: yesterday"),
    "fresh misspelt": ("why shop/loadgen shop/cart frehs", "no: frehs"),
    "a word too many": ("why shop/loadgen shop/cart please", "no: please"),
    "port name": ("can shop/loadgen reach shop/cart on port http-metrics?", "no: http-metrics"),
    "node port": ("can world reach node/lab-node-1 on nodePort 30080?", "why world node/lab-node-1 30080"),
    "a number alone": ("why can shop/loadgen 4711 not reach shop/cart", "no: 4711"),
}

UNSURE = {
    "between": (
        "no connection between shop/loadgen and shop/cart",
        "ask: why shop/loadgen shop/cart | why shop/cart shop/loadgen",
    ),
    "each other": (
        "shop/loadgen and shop/cart can't talk to each other",
        "ask: why shop/loadgen shop/cart | why shop/cart shop/loadgen",
    ),
    "double arrow": (
        "shop/loadgen <-> shop/cart is broken",
        "ask: why shop/loadgen shop/cart | why shop/cart shop/loadgen",
    ),
    "blocks from": (
        "what blocks shop/cart from shop/loadgen?",
        "ask: why shop/loadgen shop/cart | why shop/cart shop/loadgen",
    ),
    "with no verb": (
        "shop/loadgen, shop/cart, any problems?",
        "ask: why shop/loadgen shop/cart | why shop/cart shop/loadgen",
    ),
    "two destinations": (
        "can shop/loadgen reach shop/cart and shop/redis?",
        "ask: why shop/loadgen shop/cart | why shop/loadgen shop/redis",
    ),
    "two whole questions": (
        "can shop/loadgen reach shop/cart on 8080 and can shop/cart reach shop/redis on 6379?",
        "ask: why shop/loadgen shop/cart 8080 | why shop/cart shop/redis 6379",
    ),
    "two sources": (
        "neither shop/loadgen nor shop/frontend can reach shop/cart",
        "ask: why shop/loadgen shop/cart | why shop/frontend shop/cart",
    ),
    "two topics": ("is cilium healthy and what is dropped in shop?", "ask: health | drops shop"),
    "one end alone": ("shop/cart is down", "ask: drops shop/cart | reach shop/cart from"),
    "dns of one end": ("dns lookups fail in shop/frontend", "ask: drops shop/frontend | policies shop/frontend"),
}

OTHERS = {
    "who reaches": ("who can reach shop/cart?", "reach shop/cart from"),
    "who talks to": ("who is allowed to talk to payments/ledger", "reach payments/ledger from"),
    "what can it reach": ("what can shop/loadgen reach?", "reach shop/loadgen to"),
    "what does it talk to": ("where can shop/loadgen connect to", "reach shop/loadgen to"),
    "from whom": ("from where is shop/cart reachable?", "reach shop/cart from"),
    "who reaches whom": ("who can reach whom in shop?", "matrix shop"),
    "who reaches whom everywhere": ("show me who reaches whom", "matrix"),
    "matrix of a namespace": ("give me the reachability matrix of namespace shop", "matrix shop"),
    "drops": ("what is being dropped?", "drops"),
    "drops in a namespace": ("any drops in shop in the last hour?", "drops shop since 1h"),
    "drops of an end": ("show drops for shop/cart", "drops shop/cart"),
    "denied packets": ("are there denied packets in namespace payments since 30m", "drops payments since 30m"),
    "drops span": ("drops 2h", "drops since 2h"),
    "why is dropping": ("why is shop/cart dropping packets?", "drops shop/cart"),
    "drops of a namespace": ("drops in the shop namespace", "drops shop"),
    "policies of": ("which policies apply to shop/cart?", "policies shop/cart"),
    "policies select": ("what network policies select payments/ledger", "policies payments/ledger"),
    "policies in": ("list the policies in namespace shop", "policies shop"),
    "netpols": ("show me the netpols for shop/redis", "policies shop/redis"),
    "is covered by": ("is shop/cart covered by any policy?", "policies shop/cart"),
    "identity": ("who is identity 50404?", "identity 50404"),
    "what is identity": ("what is security identity 16777217", "identity 16777217"),
    "identity of": ("which identity does shop/cart have?", "identity shop/cart"),
    "labels of identity": ("which labels has identity 12345", "identity 12345"),
    "health": ("is cilium healthy?", "health"),
    "health ok": ("is cilium ok on node lab-node-1?", "health lab-node-1"),
    "agents": ("are all cilium agents up?", "health"),
    "health of": ("health of lab-node-2 please", "health lab-node-2"),
    "status": ("what's the status of cilium", "health"),
    "lint": ("are there any broken policies in shop?", "lint shop"),
    "unused policies": ("which policies do nothing?", "lint"),
    "lint the policies": ("lint the policies of namespace payments", "lint payments"),
    "what if deleted": ("what happens if I delete cnp/shop/cart?", "whatif delete cnp/shop/cart"),
    "what breaks": ("what would break if we remove netpol/shop/deny-all", "whatif delete netpol/shop/deny-all"),
    "what if labelled": ("what if I label shop/redis-0 tier=back", "whatif label shop/redis-0 tier=back"),
    "resolve": ("shop/frontend can't resolve api.stripe.com", "why shop/frontend api.stripe.com"),
    "dns failure": (
        "dns lookup of api.stripe.com fails from payments/checkout",
        "why payments/checkout api.stripe.com",
    ),
    "verify": ("check if shop/loadgen can reach shop/cart on 8080", "why shop/loadgen shop/cart 8080"),
    "check a line": ("check deny world to payments/ledger 5432/TCP", "check deny world to payments/ledger 5432/TCP"),
}

REFUSED = {
    "chat": ("good morning everyone", "no:"),
    "thanks": ("thanks, that fixed it", "no:"),
    "off topic": ("can somebody restart the coffee machine?", "no:"),
    "one end in a command": ("why shop/loadgen", "no:"),
    "health with a number of nodes": ("health lab-node-1 lab-node-2", "no: lab-node-2"),
    "drops with a stray word": ("drops shop quickly", "no: quickly"),
    "drops since yesterday": ("drops since yesterday", "no: yesterday"),
    "identity is no number": ("identity 5O404", "no: 5O404"),
    "lint with a stray word": ("lint shop loudly", "no: loudly"),
    "matrix with two": ("matrix shop payments", "no: payments"),
    "fresh misspelt": ("health fersh", "no: fersh"),
    "policies of two": ("policies shop payments", "no: payments"),
    "reach with a stray word": ("reach shop/cart upwards", "no: upwards"),
    "latin look-alike": ("why shop/lоadgen shop/cart", "no: shop/lоadgen"),
}

GROUPS = {
    "active": ACTIVE,
    "turned": TURNED,
    "German": GERMAN,
    "French": FRENCH,
    "Spanish": SPANISH,
    "names": NAMES,
    "ports": PORTS,
    "unsure": UNSURE,
    "others": OTHERS,
    "refused": REFUSED,
}

SENTENCES = {f"{group}: {name}": row for group, rows in GROUPS.items() for name, row in rows.items()}
"""Every sentence by its id, with what is expected."""
