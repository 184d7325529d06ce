"""Support for tests of programs that use this package. Do not use it in production.

A pair that the service rejected is not sent again for 30 seconds, by any client of the process. A test that
makes such a pair valid again would have to wait for that time. With pytest::

    @pytest.fixture(autouse=True)
    def _no_rejections():
        justcall_auth.testing.forget_rejections()
"""

from ._native import forget_rejections

__all__ = ["forget_rejections"]

forget_rejections.__module__ = __name__
