{{/* What contradicts itself, said before anything is installed. Included once, by the ConfigMap. */}}
{{- define "larkfire.checks" -}}
{{- include "larkfire.checkConfig" . -}}
{{- include "larkfire.checkScaling" . -}}
{{- if and (eq .Values.mode "embedded") (or .Values.secrets.amqpUrl.existingSecret .Values.secrets.amqpUrl.value) -}}
{{- fail "mode embedded has a queue of its own: leave secrets.amqpUrl out, or choose mode distributed" -}}
{{- end -}}
{{- range $name, $secret := .Values.secrets.files -}}
{{- if and $secret.existingSecret (not $secret.key) -}}
{{- fail (printf "secrets.files.%s names a Secret and no key of it" $name) -}}
{{- end -}}
{{- end -}}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) -}}
{{- fail "ingress.enabled needs ingress.hosts" -}}
{{- end -}}
{{- if and .Values.httpRoute.enabled (not .Values.httpRoute.parentRefs) -}}
{{- fail "httpRoute.enabled needs httpRoute.parentRefs: the gateways it belongs to" -}}
{{- end -}}
{{- end -}}

{{- define "larkfire.checkScaling" -}}
{{- $worker := .Values.worker -}}
{{- if eq .Values.mode "distributed" -}}
{{- if and $worker.autoscaling.enabled $worker.keda.enabled -}}
{{- fail "worker.autoscaling and worker.keda would both set the number of workers: enable one of them" -}}
{{- end -}}
{{- if and $worker.keda.enabled (not (and $worker.keda.managementUrl $worker.keda.existingSecret)) -}}
{{- fail "worker.keda needs managementUrl (http://rabbitmq:15672) and existingSecret (a user of the management API)" -}}
{{- end -}}
{{- if and .Values.ingest.spool.enabled .Values.ingest.spool.persistent .Values.ingest.autoscaling.enabled -}}
{{- fail "ingest.spool.persistent and ingest.autoscaling do not go together: a pod that is scaled away would take alerts with it" -}}
{{- end -}}
{{- $most := $worker.keda.enabled | ternary $worker.keda.maxReplicas ($worker.autoscaling.enabled | ternary $worker.autoscaling.maxReplicas $worker.replicas) -}}
{{- $database := .Values.secrets.databaseUrl -}}
{{- $isShared := or $database.existingSecret $database.value .Values.existingConfigMap (dig "database" "url" "" .Values.config) (dig "database" "url_file" "" .Values.config) -}}
{{- $hasMore := or $worker.extraEnv $worker.extraEnvFrom -}}
{{- if and (gt (int $most) 1) (not $isShared) (not $hasMore) (include "larkfire.isConfigured" .) -}}
{{- fail "several workers need a database they share: set secrets.databaseUrl, or run one (worker.replicas: 1)" -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Whether anything was configured yet: the bare chart renders, and NOTES say what is missing. */}}
{{- define "larkfire.isConfigured" -}}
{{- if or .Values.config .Values.secrets.files (ne (include "larkfire.inlineSecrets" .) "{}") .Values.secrets.amqpUrl.existingSecret .Values.secrets.feishuWebhookUrl.existingSecret -}}
yes
{{- end -}}
{{- end -}}

{{- define "larkfire.checkConfig" -}}
{{- $config := .Values.config -}}
{{- range $key, $instead := dict "listen" "service.port" "admin_listen" "nothing: it is port 9095 in every pod" "data_dir" "embedded.persistence" "spool.dir" "ingest.spool" "log_format" "logFormat" "shutdown_delay" "ingest.shutdownDelaySeconds" -}}
{{- $parts := splitList "." $key -}}
{{- $holder := gt (len $parts) 1 | ternary (get $config (first $parts)) $config -}}
{{- if and (kindIs "map" $holder) (hasKey $holder (last $parts)) -}}
{{- fail (printf "config.%s is set by the chart: use %s" $key $instead) -}}
{{- end -}}
{{- end -}}
{{- include "larkfire.checkNoSecrets" (dict "at" $config "path" "config") -}}
{{- range regexFindAll "/etc/larkfire/secrets/[A-Za-z0-9._-]+" (toJson $config) -1 -}}
{{- $name := base . -}}
{{- if not (hasKey $.Values.secrets.files $name) -}}
{{- fail (printf "config names %s: say in secrets.files.%s where it comes from" . $name) -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/*
A ConfigMap is no place for a secret. The keys are those that docs/configuration.md also lists with `_file`; `deploy/check` compares.
What is under owners, but for its table, is names of people and services. Takes: at, path.
*/}}
{{- define "larkfire.secretKeys" -}}
["api_keys", "basic_auth", "bearer_token", "calendar_token", "encrypt_key", "feishu_secret", "feishu_webhook_url", "hmac_secrets", "password", "password_hash", "secret", "signing_keys", "verification_token", "webhook_secret", "webhook_url"]
{{- end -}}

{{- define "larkfire.checkNoSecrets" -}}
{{- $keys := include "larkfire.secretKeys" . | fromJsonArray -}}
{{- range $key, $value := .at -}}
{{- $path := printf "%s.%v" $.path $key -}}
{{- $isAddress := has $path (list "config.queue.url" "config.database.url") -}}
{{- if and (or (has $key $keys) $isAddress) $value (not (contains "${" (toJson $value))) (not (kindIs "map" $value)) -}}
{{- if not (and (eq $path "config.database.url") (hasPrefix "sqlite:" $value)) -}}
{{- fail (printf "%s: a ConfigMap is no place for a secret; put it into a Secret, name that in secrets, and set %s_file" $path $path) -}}
{{- end -}}
{{- end -}}
{{- if and (kindIs "map" $value) (not (has $path (list "config.owners.services" "config.owners.by_label" "config.owners.namespaces" "config.templates" "config.links"))) -}}
{{- include "larkfire.checkNoSecrets" (dict "at" $value "path" $path) -}}
{{- end -}}
{{- if and (has $key (list "bots" "users")) (kindIs "slice" $value) -}}
{{- range $index, $bot := $value -}}
{{- include "larkfire.checkNoSecrets" (dict "at" $bot "path" (printf "%s[%d]" $path $index)) -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- end -}}

{{/* Seconds of `config.shutdown_grace`, rounded up; what is no time is refused by the program, with a sentence. */}}
{{- define "larkfire.graceSeconds" -}}
{{- $text := toString (.Values.config.shutdown_grace | default "20s") -}}
{{- $number := int (regexFind "^[0-9]+" $text) -}}
{{- $unit := regexFind "[a-z]+$" $text -}}
{{- if eq $unit "ms" -}}{{ div (add $number 999) 1000 }}
{{- else -}}{{ mul $number (get (dict "s" 1 "m" 60 "h" 3600 "d" 86400) $unit | default 1) }}
{{- end -}}
{{- end -}}
