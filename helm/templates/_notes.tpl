{{/* What is missing, and what to do next. A template of its own, so that the checks can read it without a cluster. */}}
{{- define "larkfire.notes" -}}
{{- $service := printf "http://%s.%s.svc:%v" (include "larkfire.fullname" .) .Release.Namespace .Values.service.port -}}
{{- $given := dict -}}
{{- range $name, $secret := .Values.secrets -}}
{{- if ne $name "files" -}}
{{- $_ := set $given $name (or $secret.existingSecret $secret.value | default "") -}}
{{- end -}}
{{- end -}}
{{- $config := .Values.config -}}
{{- $isOpen := or .Values.existingConfigMap .Values.ingest.extraEnv .Values.ingest.extraEnvFrom .Values.worker.extraEnv .Values.worker.extraEnvFrom .Values.embedded.extraEnv .Values.embedded.extraEnvFrom -}}
{{- $missing := list -}}
{{- if and (eq .Values.mode "distributed") (not $given.amqpUrl) (not $config.queue) -}}
{{- $missing = append $missing "secrets.amqpUrl: where RabbitMQ is" -}}
{{- end -}}
{{- if not (or $given.apiKeys $given.basicAuth $given.hmacSecrets $config.gate) -}}
{{- $missing = append $missing "secrets.apiKeys, basicAuth or hmacSecrets: what senders have to show" -}}
{{- end -}}
{{- if not (or $given.feishuWebhookUrl $config.receivers $config.feishu_chat_id $config.preview) -}}
{{- $missing = append $missing "secrets.feishuWebhookUrl or config.receivers: where cards go (or config.preview: true, to look at them only)" -}}
{{- end -}}
{{- if and (eq .Values.mode "distributed") (not $given.databaseUrl) (not $config.database) -}}
{{- $missing = append $missing "secrets.databaseUrl: what several workers share" -}}
{{- end -}}
{{- if and (not .Values.image.registry) (not .Values.global.imageRegistry) (not (contains "/" .Values.image.repository)) -}}
{{- $missing = append $missing "image.registry: where your nodes get the image; without it they look for one of their own" -}}
{{- end -}}
Larkfire {{ .Chart.AppVersion }} ({{ .Values.mode }}).
{{ if and $missing (not $isOpen) }}
Still missing; pods do not start, or do less, without it:
{{- range $missing }}
  - {{ . }}
{{- end }}
{{ end }}
Senders post to {{ $service }}/api/alert, or to {{ $service }}/api/alert/RECEIVER.

Look at it:
  kubectl -n {{ .Release.Namespace }} get pods -l app.kubernetes.io/instance={{ .Release.Name }}
{{- if .Values.tests.enabled }}
  helm -n {{ .Release.Namespace }} test {{ .Release.Name }} --logs
{{- end }}
{{- if and (eq .Values.mode "distributed") .Values.ingest.spool.enabled (not .Values.ingest.spool.persistent) }}

The spool of an ingest is lost with its pod (ingest.spool.persistent: true keeps it).
{{- end }}
{{- if $config.preview }}

config.preview is set: while there is no receiver, cards are shown on the admin port and nobody is told.
{{- end }}
{{- end -}}
