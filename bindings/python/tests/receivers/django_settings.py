"""The settings of both receivers in Django."""

SECRET_KEY = "of no use"
ALLOWED_HOSTS = ["*"]
USE_TZ = True
# The middleware of Django's default projects: without an exemption it would refuse every delivery.
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
# Without `DEBUG` Django would report failures only by mail.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    "root": {"handlers": ["console"], "level": "WARNING"},
}
ROOT_URLCONF = "django_urls"
