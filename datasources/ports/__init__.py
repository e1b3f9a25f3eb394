"""What can be asked of the services, and the plain values they answer with.

One module per service: its records and its port. A tolerant reader: a record holds only the
fields that the schema shows, and what the JSON has besides is ignored. Amounts are exact
decimals beside their ISO 4217 currency; instants are aware `datetime`s. Every port method
raises `errors.DatasourceError`.
"""
