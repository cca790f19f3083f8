{{- /*
A Deployment but for its replicas and its container's own: a dictionary of root, component, suffix (of its name), values,
command, env, ports, probes, account, grace, volumes and mounts (texts of YAML).
*/ -}}
{{- define "cilium-triage.pod" -}}
metadata:
  labels:
    {{- include "cilium-triage.labels" (list .root .component) | nindent 4 }}
    {{- with .labels }}
    {{- . | nindent 4 }}
    {{- end }}
  {{- with merge (dict) .values.podAnnotations .root.Values.podAnnotations }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  serviceAccountName: {{ .account }}
  {{- if ne .component "worker" }}
  automountServiceAccountToken: false
  {{- end }}
  terminationGracePeriodSeconds: {{ .grace }}
  {{- with .root.Values.image.pullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- include "cilium-triage.podSecurity" .root | nindent 2 }}
  containers:
    - name: {{ .component }}
      image: {{ include "cilium-triage.image" .root }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      command: {{ .command | toJson }}
      env:
        {{- .env | trim | nindent 8 }}
        {{- with .values.extraEnv }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- with .values.extraEnvFrom }}
      envFrom:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .ports | trim }}
      ports:
        {{- . | nindent 8 }}
      {{- end }}
      {{- with .probes }}
      {{- . | trim | nindent 6 }}
      {{- end }}
      resources:
        {{- toYaml .values.resources | nindent 8 }}
      {{- include "cilium-triage.containerSecurity" . | nindent 6 }}
      volumeMounts:
        - name: tmp
          mountPath: /tmp
        {{- with .root.Values.redis.caSecret }}
        - name: redis-ca
          mountPath: /etc/cilium-triage/redis
          readOnly: true
        {{- end }}
        {{- with .mounts | trim }}
        {{- . | nindent 8 }}
        {{- end }}
        {{- with .values.extraVolumeMounts }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {}
    {{- with .root.Values.redis.caSecret }}
    - name: redis-ca
      secret:
        secretName: {{ . }}
        items: [{key: ca.crt, path: ca.crt}]
    {{- end }}
    {{- with .volumes | trim }}
    {{- . | nindent 4 }}
    {{- end }}
    {{- with .values.extraVolumes }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with get .values "topologySpreadConstraints" }}
  topologySpreadConstraints:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with .values.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
{{- end -}}

{{- define "cilium-triage.podSecurity" -}}
securityContext:
  runAsNonRoot: true
  {{- range $field, $id := .Values.pod }}
  {{- if not (kindIs "invalid" $id) }}
  {{ $field }}: {{ $id | int64 }}
  {{- end }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end -}}

{{- define "cilium-triage.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end -}}
