"""How does the reconciler look in a browser?

Pages are whole when they arrive and need no script to be read or acted on; `static/live.js` only replaces parts of them
as things change. What is shown is found by `views`; here it is laid out.
"""
