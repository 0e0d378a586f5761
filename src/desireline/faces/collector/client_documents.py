"""What browser clients ask before they send: documents that make them work against this server and no other."""

from __future__ import annotations

import json
import re
from typing import Any

from desireline.faces.collector.answers import SCRIPT, Answer, document, kept_for
from desireline.faces.collector.sources import Source

_HOST = re.compile(rb"[A-Za-z0-9.:\[\]_-]{1,255}")


def own_address(*, host: bytes, scheme: str, public_address: str) -> str:
    """The address under which a client reached us, as `https://host:port`; a configured one goes first.

    >>> own_address(host=b"collect.example", scheme="https", public_address="")
    'https://collect.example'
    """
    if public_address:
        return public_address.rstrip("/")
    return f"{scheme}://{host.decode('ascii')}" if _HOST.fullmatch(host) else ""


def segment_settings(source: Source, *, address: str) -> Answer:
    """The settings of @segment/analytics-next: send to us, load nothing, measure nothing."""
    scheme, _, host = address.partition("://")
    return document({
        "integrations": {
            "Segment.io": {
                "apiKey": source.key,
                "apiHost": f"{host}/v1",
                "protocol": scheme,
                "unbundledIntegrations": [],
                "addBundledMetadata": True,
                "maybeBundledConfigIds": {},
                "versionSettings": {"version": "4.4.7", "componentTypes": ["browser"]},
            }
        },
        "plan": {kind: {"__default": {"enabled": True, "integrations": {}}} for kind in ("track", "identify", "group")},
        "edgeFunction": {},
        "analyticsNextEnabled": True,
        "middlewareSettings": {},
        "enabledMiddleware": {},
        "metrics": {"sampleRate": 0, "host": f"{host}/v1"},
        "legacyVideoPluginsEnabled": False,
        "remotePlugins": [],
    })  # fmt: skip


def rudder_settings(source: Source, *, address: str) -> Answer:
    """The source configuration of RudderStack's clients: enabled, no destinations, nothing collected about errors."""
    return document({
        "isHosted": False,
        "source": {
            "id": source.name,
            "name": source.name,
            "writeKey": source.key,
            "enabled": source.enabled,
            "workspaceId": "desireline",
            "sourceDefinition": {"name": "Javascript", "displayName": "Javascript"},
            "config": {
                "statsCollection": {"errors": {"enabled": False}, "metrics": {"enabled": False}},
                "dataplane": address,
            },
            "dataplanes": {"default": [{"url": address, "default": True}]},
            "destinations": [],
            "connections": [],
            "updatedAt": "2026-01-01T00:00:00.000Z",
        },
        "updatedAt": "2026-01-01T00:00:00.000Z",
    })  # fmt: skip


def posthog_config(key: str) -> dict[str, Any]:
    """The remote configuration of posthog-js: nothing is recorded, asked or measured beyond what the page sends.

    Surveys are not named at all: told that there are none, the client still asks for their script.
    """
    return {
        "token": key,
        "supportedCompression": ["gzip", "gzip-js", "base64"],
        "hasFeatureFlags": False,
        "captureDeadClicks": False,
        "capturePerformance": False,
        "autocapture_opt_out": False,
        "autocaptureExceptions": False,
        "analytics": {"endpoint": "/i/v0/e/"},
        "elementsChainAsString": True,
        "errorTracking": {"autocaptureExceptions": False, "suppressionRules": []},
        "logs": {"captureConsoleLogs": False},
        "sessionRecording": False,
        "heatmaps": False,
        "conversations": False,
        "productTours": False,
        "defaultIdentifiedOnly": True,
        "siteApps": [],
    }


def posthog_script(key: str) -> Answer:
    """The same as a script; posthog-js puts it into its page."""
    name, config = _in_script(key), _in_script(posthog_config(key))
    text = (
        "(function(){window._POSTHOG_REMOTE_CONFIG=window._POSTHOG_REMOTE_CONFIG||{};"
        f"window._POSTHOG_REMOTE_CONFIG[{name}]={{config:{config},siteApps:[]}};}})();\n"
    )
    return Answer(200, text.encode(), SCRIPT, (*kept_for(60), (b"cross-origin-resource-policy", b"cross-origin")))


def no_flags() -> Answer:
    """The answer to a question for feature flags: there are none."""
    return document({
        "config": {"enable_collect_everything": True},
        "flags": {},
        "featureFlags": {},
        "featureFlagPayloads": {},
        "errorsWhileComputingFlags": False,
        "sessionRecording": False,
        "supportedCompression": ["gzip", "gzip-js"],
        "toolbarParams": {},
        "isAuthenticated": False,
        "siteApps": [],
        "requestId": "00000000-0000-0000-0000-000000000000",
    }, seconds=0)  # fmt: skip


def _in_script(value: Any) -> str:
    """JSON that can do no harm inside a script."""
    return json.dumps(value).replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
