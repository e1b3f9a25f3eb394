"""Who asks us, and how we prove to the services that we ask."""
