"""GraphQL over HTTP: a request in, one operation executed, a response out."""
