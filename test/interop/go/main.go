// golang.org/x/oauth2 and coreos/go-oidc as they are: they read the metadata, show the token of a file as client assertion,
// verify what comes by the published keys, and print it.
package main

import (
	"context"
	"fmt"
	"log"
	"net/url"
	"os"
	"strings"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	check(err)
	assertion, err := os.ReadFile(os.Getenv("TOKEN_FILE"))
	check(err)
	target := os.Getenv("TARGET")
	client := clientcredentials.Config{
		TokenURL: provider.Endpoint().TokenURL,
		EndpointParams: url.Values{
			"client_assertion_type": {"urn:ietf:params:oauth:client-assertion-type:jwt-bearer"},
			"client_assertion":      {strings.TrimSpace(string(assertion))},
			"resource":              {target},
		},
	}
	token, err := client.Token(ctx)
	check(err)
	_, err = provider.Verifier(&oidc.Config{ClientID: target}).Verify(ctx, token.AccessToken)
	check(err)
	fmt.Println(token.AccessToken)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
