#compdef keruta keruta-agent
_keruta() {
  local line files= program=${words[1]:-keruta}
  local -a found
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      files=1
    else
      found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    fi
  done < <("$program" completion candidates -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2> /dev/null < /dev/null)
  (( $#found )) && _describe -t candidates keruta found
  [[ -n $files ]] && _files
  return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
  _keruta "$@"
else
  compdef _keruta keruta keruta-agent
fi
