import com.nimbusds.jose.JWSAlgorithm;
import com.nimbusds.jose.jwk.ECKey;
import com.nimbusds.oauth2.sdk.ClientCredentialsGrant;
import com.nimbusds.oauth2.sdk.Scope;
import com.nimbusds.oauth2.sdk.TokenRequest;
import com.nimbusds.oauth2.sdk.TokenResponse;
import com.nimbusds.oauth2.sdk.as.AuthorizationServerMetadata;
import com.nimbusds.oauth2.sdk.auth.JWTAuthenticationClaimsSet;
import com.nimbusds.oauth2.sdk.auth.PrivateKeyJWT;
import com.nimbusds.oauth2.sdk.id.Audience;
import com.nimbusds.oauth2.sdk.id.ClientID;
import com.nimbusds.oauth2.sdk.id.Issuer;
import com.nimbusds.oauth2.sdk.id.JWTID;
import com.nimbusds.openid.connect.sdk.op.OIDCProviderMetadata;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Date;
import java.util.List;

/** Nimbus's OAuth 2.0 SDK as it is: reads the metadata, signs an assertion with its own key (private_key_jwt), and prints the token. */
public class StockClient {
  public static void main(String[] arguments) throws Exception {
    Issuer issuer = new Issuer(System.getenv("ISSUER"));
    URI endpoint = AuthorizationServerMetadata.resolve(issuer).getTokenEndpointURI();
    OIDCProviderMetadata.resolve(issuer);

    ECKey key = ECKey.parse(Files.readString(Path.of(System.getenv("KEY_FILE"))));
    ClientID client = new ClientID(System.getenv("CLIENT_ID"));
    // The shorter constructors leave out when it was issued (iat), and the broker refuses such an assertion.
    Date now = new Date();
    Date expiry = new Date(now.getTime() + 60_000);
    List<Audience> audience = new Audience(endpoint).toSingleAudienceList();
    JWTAuthenticationClaimsSet claims = new JWTAuthenticationClaimsSet(client, audience, expiry, now, now, new JWTID());
    PrivateKeyJWT proof = new PrivateKeyJWT(claims, JWSAlgorithm.ES256, key.toECPrivateKey(), null, null);
    TokenRequest request = new TokenRequest.Builder(endpoint, proof, new ClientCredentialsGrant())
        .scope(new Scope("tools.call"))
        .resource(URI.create(System.getenv("TARGET")))
        .build();
    TokenResponse response = TokenResponse.parse(request.toHTTPRequest().send());
    if (!response.indicatesSuccess()) throw new IllegalStateException(response.toErrorResponse().toJSONObject().toString());
    System.out.println(response.toSuccessResponse().getTokens().getAccessToken());
  }
}
