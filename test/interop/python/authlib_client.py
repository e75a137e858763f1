"""authlib as it is: reads the metadata, signs an assertion with its own key (private_key_jwt), and prints the token."""

import json
import os
from pathlib import Path

import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from authlib.oauth2.rfc8414 import AuthorizationServerMetadata, get_well_known_url
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc.jwk import ECKey

issuer, target, client = (os.environ[name] for name in ("ISSUER", "TARGET", "CLIENT_ID"))

metadata = AuthorizationServerMetadata(requests.get(get_well_known_url(issuer, external=True)).json())
metadata.validate()
OpenIDProviderMetadata(metadata).validate()

key = ECKey.import_key(json.loads(Path(os.environ["KEY_FILE"]).read_text()))
session = OAuth2Session(client, key, token_endpoint_auth_method=PrivateKeyJWT(alg="ES256"))
token = session.fetch_token(metadata["token_endpoint"], grant_type="client_credentials", resource=target)
print(token["access_token"])
