"""The wizard of the first start and, afterwards, the administrators' page: a small web server."""
