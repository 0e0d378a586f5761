"""The lines to copy: what to put into a site, a client, a program or another system, so that it sends here."""

from __future__ import annotations

from dataclasses import dataclass

from desireline.faces.web.connect_kinds import Kind


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines to copy: where they go, what to know of them, and the lines."""

    heading: str
    says: str
    text: str


@dataclass(frozen=True, slots=True)
class Way:
    """One way to send: a heading and its lines."""

    name: str
    lines: tuple[Lines, ...]


def ways_of(kind: Kind, *, key: str, host: str, secret_env: str) -> tuple[Way, ...]:
    """The ways in which a source of a kind can send, the likeliest first.

    host: the address of this server as the sender reaches it, such as `https://collect.example`.
    """
    if kind.dialect == "recipe" or kind.name == "webhook":
        return (_webhook(kind, key=key, host=host, secret_env=secret_env),)
    if kind.name == "email":
        return (_email(key=key, host=host),)
    if kind.name == "cloudevents":
        return (_cloudevents(key=key, host=host), _program(key=key, host=host))
    every = {
        "site": _snippet(key=key, host=host),
        "segment": _segment(key=key, host=host),
        "rudderstack": _rudderstack(key=key, host=host),
        "posthog": _posthog(key=key, host=host),
        "server": _program(key=key, host=host),
    }
    first = every.pop(kind.name)
    return (first, *every.values())


def _snippet(*, key: str, host: str) -> Way:
    return Way(
        "Our snippet",
        (
            Lines(
                "Into the head of each page",
                "It sends page views by itself, keeps nothing on other hosts and sets no third-party cookie.",
                f'<script async src="{host}/snippet.js" data-key="{key}"></script>',
            ),
        ),
    )


def _segment(*, key: str, host: str) -> Way:
    scheme = "http" if host.startswith("http:") else "https"
    bare = host.partition("://")[2]
    return Way(
        "Segment",
        (
            Lines(
                "In the browser (analytics-next)",
                "Change the write key and name this host.",
                f'AnalyticsBrowser.load(\n  {{ writeKey: "{key}", cdnURL: "{host}" }},\n'
                f'  {{ integrations: {{ "Segment.io": {{ apiHost: "{bare}/v1", protocol: "{scheme}" }} }} }},\n)',
            ),
            Lines(
                "In Python (segment-analytics-python)",
                "Two lines before the first event.",
                f'analytics.write_key = "{key}"\nanalytics.host = "{host}"',
            ),
            Lines(
                "In Node (@segment/analytics-node)",
                "Two options of the client.",
                f'const analytics = new Analytics({{\n  writeKey: "{key}",\n  host: "{host}",\n}})',
            ),
        ),
    )


def _rudderstack(*, key: str, host: str) -> Way:
    return Way(
        "RudderStack",
        (
            Lines(
                "In the browser (analytics-js)",
                "The write key, the data plane, and where its settings come from.",
                f'rudderanalytics.load("{key}", "{host}", {{\n  configUrl: "{host}",\n}})',
            ),
            Lines(
                "In Python (rudder-sdk-python)",
                "Two lines before the first event.",
                f'rudder_analytics.write_key = "{key}"\nrudder_analytics.dataPlaneUrl = "{host}"',
            ),
            Lines(
                "In Node (@rudderstack/rudder-sdk-node)",
                "The write key and one option.",
                f'const client = new RudderAnalytics("{key}", {{\n  dataPlaneUrl: "{host}",\n}})',
            ),
        ),
    )


def _posthog(*, key: str, host: str) -> Way:
    return Way(
        "PostHog",
        (
            Lines(
                "In the browser (posthog-js)",
                "The key and the host.",
                f'posthog.init("{key}", {{\n  api_host: "{host}",\n}})',
            ),
            Lines("In Python (posthog)", "The key and the host.", f'posthog = Posthog("{key}", host="{host}")'),
            Lines(
                "In Node (posthog-node)",
                "The key and the host.",
                f'const client = new PostHog("{key}", {{ host: "{host}" }})',
            ),
        ),
    )


def _program(*, key: str, host: str) -> Way:
    body = '{"userId": "customer-1", "event": "Order Completed", "messageId": "first-1"}'
    many = '{"batch": [{"type": "track", "userId": "customer-1", "event": "Order Completed", "messageId": "first-2"}]}'
    return Way(
        "A line of curl, or any program",
        (
            Lines(
                "One event",
                "It answers 200 when the event lies on disk. With ?verbose=1 it says what became of it.",
                f"curl -u {key}: '{host}/v1/track?verbose=1' \\\n"
                f"  -H 'content-type: application/json' \\\n  -d '{body}'",
            ),
            Lines(
                "Many at once",
                "Up to 4 MB. The same messageId sent again counts once.",
                f"curl -u {key}: {host}/v1/batch \\\n  -H 'content-type: application/json' \\\n  -d '{many}'",
            ),
        ),
    )


def _cloudevents(*, key: str, host: str) -> Way:
    return Way(
        "CloudEvents",
        (
            Lines(
                "One event, binary",
                "The subject is the customer, the type is what happened.",
                f"curl -u {key}: {host}/events \\\n  -H 'ce-specversion: 1.0' -H 'ce-id: first-1' "
                "-H 'ce-source: /shop' \\\n  -H 'ce-type: order.completed' -H 'ce-subject: customer-1' \\\n"
                "  -H 'content-type: application/json' -d '{\"order_id\": \"A-1\"}'",
            ),
        ),
    )


def _webhook(kind: Kind, *, key: str, host: str, secret_env: str) -> Way:
    where = {
        "zendesk": "Admin Center, Apps and integrations, Webhooks: create one for ticket events with this endpoint. "
        "Copy its signing secret.",
        "chatwoot": "Settings, Integrations, Webhooks: add one and tick message_created, conversation_created and "
        "conversation_status_changed.",
        "typeform": "The form's Connect, Webhooks: add one, give it a secret and switch it on.",
        "survey": "Wherever the tool lets you name a webhook. Its answers must come as JSON.",
        "webhook": "Wherever the system lets you name a webhook. It posts JSON.",
    }
    lines = [Lines("The address to post to", where[kind.name], f"{host}/hooks/{key}")]
    if secret_env:
        lines.append(
            Lines(
                "The secret both sides know",
                "Put it into the environment of this server and start the server again. It is never written down here.",
                f"export {secret_env}='the secret of the other side'\ndesireline serve",
            )
        )
    if kind.recipe:
        lines.append(
            Lines(
                f"The recipe: recipes/{kind.recipe}.yaml",
                "It says how a record becomes interactions. It lies in your project; change it to your fields, then "
                "connect the source again or change it.",
                f"$EDITOR recipes/{kind.recipe}.yaml",
            )
        )
    if kind.name in ("webhook", "survey"):
        body = '{"type": "order.completed", "id": "e-1", "customer": {"email": "anna@example.org"}}'
        if kind.name == "survey":
            body = '{"id": "r-1", "submitted_at": "2026-11-22T10:00:00Z", "email": "anna@example.org", "nps": 9}'
        lines.append(
            Lines(
                "To try it by hand",
                "Only for a source that may come unsigned.",
                f"curl {host}/hooks/{key} \\\n  -H 'content-type: application/json' \\\n  -d '{body}'",
            )
        )
    return Way(f"{kind.label}: a webhook", tuple(lines))


def _email(*, key: str, host: str) -> Way:
    return Way(
        "E-mail",
        (
            Lines(
                "One letter, by hand",
                "A whole letter as it came (RFC 5322).",
                f"curl --data-binary @letter.eml -H 'content-type: message/rfc822' {host}/mail/{key}",
            ),
            Lines(
                "From your mail server (Postfix: /etc/aliases)",
                "Each letter to this address goes to Desireline, too.",
                f"desireline: \"|curl -sf --data-binary @- -H 'content-type: message/rfc822' {host}/mail/{key}\"",
            ),
        ),
    )
