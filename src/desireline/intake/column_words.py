"""What exports call their columns, in English, German, French, Spanish and Italian."""

from __future__ import annotations

import re
import unicodedata

ROLE_WORDS: tuple[tuple[str, str], ...] = (
    (
        "zone",
        "time zone|timezone|tz|zeitzone|fuseau horaire|fuseau|zona horaria|fuso orario",
    ),
    (
        "clock",
        "time of day|uhrzeit|clock|heure|hora|ora",
    ),
    (
        "handle:email",
        "email|e mail|mail|mail address|email address|e mail adresse|email adresse|requester email|"
        "courriel|adresse mail|correo|correo electronico|posta elettronica|customer email|kunde email|"
        "from email|sender|absender",
    ),
    (
        "handle:phone",
        "phone|phone number|telephone|tel|mobile|mobil|msisdn|caller|caller id|ani|telefon|"
        "telefonnummer|handy|rufnummer|anrufer|telefono|numero de telephone|portable|movil|cellulare|"
        "customer phone",
    ),
    (
        "handle:card",
        "card|card number|card no|kartennummer|karte|pan|numero de carte|carte|tarjeta|carta|loyalty card",
    ),
    (
        "handle:cookie",
        "cookie|cookie id|anonymous id|anonymousid|visitor|visitor id|client id|ga id|browser id|besucher",
    ),
    (
        "handle:social",
        "social handle|handle|screen name|user handle|twitter|mastodon|instagram|author|social",
    ),
    (
        "handle:crm",
        "crm|crm id|contact id|contactid|account id|salesforce id|crm nummer",
    ),
    (
        "handle:customer",
        "customer id|customer|customerid|customer number|customer no|user id|userid|user|client|"
        "client number|member id|subscriber|requester|kunde|kundennummer|kunden nr|kundennr|kunden id|"
        "kdnr|numero client|id client|cliente|numero cliente|id cliente|person|person id|party id",
    ),
    (
        "time",
        "time|timestamp|ts|date|datetime|occurred at|occurred|event time|created|created at|created on|"
        "date created|opened|opened at|received|received at|date received|start|started at|start time|"
        "begin|call start|zeit|zeitpunkt|datum|zeitstempel|erstellt|erstellt am|angelegt|angelegt am|"
        "eroffnet|eroffnet am|eingang|eingegangen|beginn|horodatage|date de creation|cree le|date heure|"
        "fecha|fecha de creacion|creado|creado el|data|data ora|data creazione|creato il|recorded date|"
        "recordeddate|invoicedate|invoice date|sent|sent at|time timestamp",
    ),
    (
        "case",
        "case|case id|caseid|case number|ticket|ticket id|ticketid|ticket number|ticket no|issue id|"
        "incident|conversation id|conversationid|thread id|vorgang|vorgangsnummer|fall|fallnummer|"
        "ticketnummer|anfrage nr|dossier|numero de dossier|caso|id caso|pratica|complaint id|complaint|"
        "case concept name",
    ),
    (
        "order",
        "order|order id|orderid|order number|order no|invoice|invoice no|invoiceno|bestellung|"
        "bestellnummer|auftrag|auftragsnummer|rechnung|rechnungsnummer|commande|numero de commande|"
        "pedido|ordine|numero ordine",
    ),
    (
        "key",
        "message id|messageid|event id|eventid|row id|uuid|guid|record id|response id|responseid|"
        "transaction id|interaction id|call id|session event id",
    ),
    (
        "channel",
        "channel|via|origin|medium|media type|mediatype|submitted via|contact channel|source channel|"
        "kanal|kontaktkanal|eingangskanal|canal|canale|contact method|contact",
    ),
    (
        "direction",
        "direction|richtung|sens|direccion|direzione|inbound outbound|call direction",
    ),
    (
        "touchpoint",
        "touchpoint|event|event name|event type|activity|action|interaction type|type|kontaktpunkt|"
        "ereignis|aktivitat|aktion|vorgangsart|typ|evenement|activite|evento|actividad|attivita|"
        "concept name|page|step",
    ),
    (
        "campaign",
        "campaign|campaign id|campaign name|kampagne|campagne|campana|campagna|utm campaign",
    ),
    (
        "content",
        "content|content id|creative|inhalt",
    ),
    (
        "product",
        "product|product id|product name|sku|item|stockcode|artikel|artikelnummer|produkt|produit|producto|prodotto",
    ),
    (
        "session",
        "session|session id|sessionid|sitzung|visit id",
    ),
    (
        "device",
        "device|device id|deviceid|gerat|appareil|dispositivo",
    ),
    (
        "hands",
        "agent|agent name|assignee|assigned to|resource|org resource|owner|handled by|operator|employee|"
        "bearbeiter|mitarbeiter|sachbearbeiter|conseiller|agente|operatore|operador",
    ),
    (
        "topic",
        "topic|subject|category|issue|reason|contact reason|thema|betreff|kategorie|anliegen|grund|"
        "sujet|objet|categorie|motif|asunto|categoria|motivo|tema|oggetto|wrap up code",
    ),
    (
        "intent",
        "intent|absicht|intention",
    ),
    (
        "outcome",
        "outcome|result|resolution|disposition|ergebnis|resultat|resultado|esito|company response to consumer",
    ),
    (
        "currency",
        "currency|currency code|wahrung|devise|moneda|valuta",
    ),
    (
        "value",
        "amount|value|price|revenue|total|amount req|betrag|wert|preis|umsatz|summe|montant|prix|"
        "importe|precio|importo|prezzo|order value|unitprice",
    ),
    (
        "score",
        "score|rating|nps|csat|ces|satisfaction|satisfaction rating|stars|bewertung|note|zufriedenheit|"
        "weiterempfehlung|satisfaccion|puntuacion|valutazione|punteggio",
    ),
    (
        "cost_seconds",
        "handle time|duration|talk time|duration seconds|seconds|dauer|bearbeitungszeit|duree|duracion|durata",
    ),
    (
        "language",
        "language|lang|locale|sprache|langue|idioma|lingua",
    ),
    (
        "text",
        "text|message|body|comment|comments|description|verbatim|narrative|consumer complaint narrative|"
        "feedback|nachricht|kommentar|beschreibung|bemerkung|commentaire|mensaje|comentario|messaggio|"
        "commento|descrizione",
    ),
    (
        "consent",
        "consent|consent purpose|einwilligung|consentement|consentimiento|consenso",
    ),
)
"""Roles and the names their columns bear, the more telling roles first."""

EVENT_WORDS: tuple[tuple[str, str, str], ...] = (
    (
        "opened",
        "inbound",
        "created|created at|created on|date created|opened|opened at|received|received at|date received|"
        "erstellt|erstellt am|angelegt|angelegt am|eroffnet|eroffnet am|eingang|eingegangen|cree le|"
        "date de creation|creado|creado el|fecha de creacion|creato il|data creazione",
    ),
    (
        "answered",
        "outbound",
        "first reply|first reply at|first response|first response at|answered|answered at|responded at|"
        "replied at|beantwortet|beantwortet am|erste antwort|erste antwort am|premiere reponse|"
        "repondu le|respondido|primera respuesta|risposto il|prima risposta",
    ),
    (
        "sent",
        "outbound",
        "sent|sent at|sent on|gesendet|gesendet am|versendet am|envoye le|enviado|inviato il",
    ),
    (
        "assigned",
        "internal",
        "assigned at|first assigned at|zugewiesen am|date sent to company|forwarded at|escalated at",
    ),
    (
        "solved",
        "outbound",
        "solved|solved at|resolved|resolved at|closed|closed at|closed on|completed at|gelost|gelost am|"
        "geschlossen|geschlossen am|erledigt|erledigt am|resolu le|cloture le|resuelto|cerrado|"
        "cerrado el|risolto il|chiuso il",
    ),
    (
        "rated",
        "inbound",
        "rated|rated at|survey at|surveyed at|satisfaction at|bewertet|bewertet am|note le|valorado|valutato il",
    ),
    (
        "ended",
        "internal",
        "ended|ended at|end|end time|call end|ende|beendet|fin|fine",
    ),
)
"""Events hidden in a row: their name, who speaks to whom, and what their date columns are called."""

NO_EVENT_WORDS = (
    "updated|updated at|modified|modified at|last modified|due|due at|due date|birthday|birth date|"
    "date of birth|geandert am|aktualisiert am|fallig am|geburtsdatum|last updated|exported at|"
    "lastmodifieddate"
)
"""Date columns that are no event of their own."""

CHANNEL_WORDS: dict[str, str] = {
    word: channel
    for channel, words in {
        "web": "web|website|web form|webform|web widget|internet|online|portal|formular|page web|sitio web|sito",
        "app": "app|mobile app|ios|android|mobile sdk|in app",
        "email": "email|e mail|mail|courriel|correo|correo electronico|posta elettronica",
        "sms": "sms|text message|kurznachricht",
        "phone": "phone|call|voice|telephone|telefon|anruf|telefono|appel|tel|phone call|call center|callcenter",
        "chat": "chat|live chat|messaging|webchat|chatbot|native messaging|whatsapp|messenger",
        "branch": "branch|store|shop|filiale|agence|sucursal|agency|in person|walk in",
        "social": "social|twitter|facebook|instagram|mastodon|social media|x|linkedin",
        "post": "post|letter|postal mail|brief|fax|courrier|carta|lettera|postal",
    }.items()
    for word in words.split("|")
}
DIRECTION_WORDS: dict[str, str] = {
    word: direction
    for direction, words in {
        "inbound": "inbound|in|incoming|received|eingehend|eingang|entrant|entrante|ingoing|customer",
        "outbound": "outbound|out|outgoing|sent|ausgehend|ausgang|sortant|saliente|uscente|company",
        "internal": "internal|intern|interne|interno",
        "peer": "peer|customer to customer",
    }.items()
    for word in words.split("|")
}


def plain(name: str) -> str:
    """A name in small letters without accents, its words parted by single spaces.

    >>> plain("Eröffnet_am"), plain("messageId")
    ('eroffnet am', 'message id')
    """
    parted = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)
    folded = unicodedata.normalize("NFKD", parted).encode("ascii", "ignore").decode().lower()
    return " ".join(re.findall(r"[a-z0-9]+", folded))


ROLE_OF: dict[str, str] = {}
for _role, _words in ROLE_WORDS:
    for _word in _words.split("|"):
        ROLE_OF.setdefault(plain(_word), _role)
EVENT_OF: dict[str, tuple[str, str]] = {
    plain(word): (event, direction) for event, direction, words in EVENT_WORDS for word in words.split("|")
}
NO_EVENTS = frozenset(NO_EVENT_WORDS.split("|"))
