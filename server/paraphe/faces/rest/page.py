"""The page at the root of the face, for a browser: operations and types. No script, and nothing from elsewhere."""

import json
from base64 import b64encode
from hashlib import sha256
from html import escape
from typing import Any

Json = dict[str, Any]

_STYLE = """
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#222;background:#fff}
h2{margin-top:2.5rem;border-bottom:1px solid #bbb}h3{margin:2rem 0 .3rem}code,pre{font-family:ui-monospace,monospace}
pre{background:#f3f3f3;padding:.7rem;overflow:auto;font-size:.85rem;white-space:pre-wrap;overflow-wrap:anywhere}
table{border-collapse:collapse;width:100%;font-size:.92rem}td,th{border-bottom:1px solid #ddd;
padding:.25rem .6rem .25rem 0;text-align:left;vertical-align:top}
ul{columns:3 12rem;padding-left:1.2rem}small{color:#555}a{color:#0b5394}
@media(prefers-color-scheme:dark){body{background:#181818;color:#ddd}pre{background:#242424}a{color:#8ab8e8}
small{color:#aaa}td,th{border-color:#444}}
"""


def render(document: Json) -> tuple[bytes, str]:
    """Return the page for an OpenAPI document, and what a Content-Security-Policy says to allow its style."""
    schemas, responses = document["components"]["schemas"], document["components"]["responses"]
    posts = {path: item["post"] for path, item in document["paths"].items()}
    types = {name: schema for name, schema in schemas.items() if f"/{name}" not in posts}
    title = escape(f"{document['info']['title']} {document['info']['version']}")
    parts = [
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>',
        # An empty icon, or browsers ask for /favicon.ico and complain that the policy forbids it.
        '<link rel="icon" href="data:,">',
        f'<meta name="viewport" content="width=device-width"><style>{_STYLE}</style>',
        f"<h1>{title}</h1>",
        *(f"<p>{escape(text)}</p>" for text in document["info"]["description"].split("\n\n")),
        f"<p>Base address: <code>{escape(document['servers'][0]['url'])}</code>. Credentials: HTTP Basic (apiUser,"
        " apiKey) or <code>Authorization: Bearer</code> (apiKey).</p>",
        '<p>For tools: <a href="openapi.json">openapi.json</a> (OpenAPI 3.1).</p>',
        "<h2>Operations</h2><ul>",
        *(f"<li>{_link(path[1:])}" for path in posts),
        "</ul>",
        *(_operation(path, post, schemas[path[1:]]) for path, post in posts.items()),
        '<h2 id="statuses">Statuses</h2><table>',
        *(f"<tr><th>{name.removeprefix('Status')}<td>{_text(one['description'])}" for name, one in responses.items()),
        "</table><h2>Types</h2>",
        *(_type(name, schema) for name, schema in types.items()),
        "</html>",
    ]
    digest = b64encode(sha256(_STYLE.encode()).digest()).decode()
    return "\n".join(parts).encode(), f"'sha256-{digest}'"


def _operation(path: str, post: Json, schema: Json) -> str:
    name = path[1:]
    request = post["requestBody"]["content"]["application/json"]
    answer = post["responses"]["200"]["content"]["application/json"]
    return (
        f'<h3 id="{name}">POST {escape(path)}</h3><p>{_text(post["description"])}</p>{_members(schema)}'
        f"<p>Answer: {_kind(answer['schema'])}</p>"
        f"<details><summary>Example</summary>{_example(request)}{_example(answer)}</details>"
    )


def _type(name: str, schema: Json) -> str:
    return f'<h3 id="{name}">{name}</h3><p>{_text(schema.get("description", ""))}</p>{_members(schema)}{_rules(schema)}'


def _members(schema: Json) -> str:
    if not schema.get("properties"):
        return "<p><small>No members.</small></p>" if schema["type"] == "object" else ""
    required = schema.get("required", ())
    rows = [
        f"<tr><td><code>{name}</code>{' <small>required</small>' if name in required else ''}"
        f"<td>{_kind(member)}<td>{_text(member.get('description', ''))}"
        for name, member in schema["properties"].items()
    ]
    return f"<table><tr><th>Member<th>Type<th>Meaning{''.join(rows)}</table>"


def _rules(schema: Json) -> str:
    """Write what a simple type lets through."""
    meanings = schema.get("x-enum-descriptions", {})
    if "enum" in schema:
        rows = (f"<tr><td><code>{value}</code><td>{_text(meanings.get(value, ''))}" for value in schema["enum"])
        return f"<table>{''.join(rows)}</table>"
    known = ("minLength", "maxLength", "pattern", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum")
    rules = ", ".join(f"{name} <code>{escape(str(schema[name]))}</code>" for name in known if name in schema)
    return "" if schema["type"] == "object" else f"<p><small>{schema['type']} {rules}</small></p>"


def _kind(schema: Json) -> str:
    if "$ref" in schema:
        return _link(schema["$ref"].rpartition("/")[2])
    if schema["type"] == "array":
        return f"array of {_kind(schema['items'])}"
    return escape(schema.get("format") or schema.get("contentEncoding") or schema["type"])


def _link(name: str) -> str:
    return f'<a href="#{name}">{name}</a>'


def _text(text: str) -> str:
    return escape(text, quote=False)


def _example(content: Json) -> str:
    return f"<pre>{_text(json.dumps(content['example'], ensure_ascii=False, indent=2))}</pre>"
