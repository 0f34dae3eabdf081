{{- define "shop.name" -}}{{ .Release.Name | trunc 53 }}{{- end -}}
