_keruta() {
  local program=${COMP_WORDS[0]:-keruta} current=${COMP_WORDS[COMP_CWORD]-} line joined= index last=-1
  local -a words
  # Bash takes = and : as words of their own: they are joined again, and what stands before the cursor's part is not offered twice.
  for ((index = 1; index <= COMP_CWORD; index++)); do
    line=${COMP_WORDS[index]-}
    if ((last >= 0)) && [[ $line == [:=] ]]; then
      words[last]+=$line
      joined=1
    elif [[ $joined ]]; then
      words[last]+=$line
      joined=
    else
      last=$((last + 1))
      words[last]=$line
    fi
  done
  [[ $current == [:=] ]] && current=
  local before=${words[last]%"$current"}
  COMPREPLY=()
  command -v -- "$program" > /dev/null || program=keruta
  while IFS= read -r line; do
    if [[ $line == :files ]]; then
      compopt -o filenames 2> /dev/null
      while IFS= read -r line; do COMPREPLY+=("$line"); done < <(compgen -f -- "$current")
    else
      line=${line%%$'\t'*}
      COMPREPLY+=("${line#"$before"}")
    fi
  done < <("$program" completion candidates -- "${words[@]}" 2> /dev/null < /dev/null)
}
complete -F _keruta keruta keruta-agent
