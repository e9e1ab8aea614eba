"""The WSDL documents as published."""
